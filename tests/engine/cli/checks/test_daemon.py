"""What `check` says of the daemon, of clocks and of metrics."""

from __future__ import annotations

import os
import signal
import tempfile
import time

from daemons import daemon_seen
from engine.cli.checks.findings import failed, fine, texts, warned
from engine.cli.conftest import pid_of
from waiting import wait_until

from collective.maildrophost.engine.cli.checks import (
    Level,
    clock,
    configurationfile,
)
from collective.maildrophost.engine.cli.zdaemon import Supervisor
from collective.maildrophost.engine.metrics import library
from collective.maildrophost.engine.queue import register


def test_mail_that_waits_for_no_daemon_fails(site):
    site.send()
    assert "mail waits in the queue: 'start'" in failed(site, "daemon")


def test_a_daemon_that_was_killed_fails(site):
    another_seen(site, time.time() - 3600)
    assert "was killed or hangs: 'start'" in failed(site, "daemon")


def test_a_daemon_that_nothing_would_bring_back_is_a_warning(started):
    assert warned(started, "daemon") == []
    supervisor = Supervisor(started.configuration)
    os.kill(supervisor.state().manager, signal.SIGKILL)
    wait_until(lambda: supervisor.state() is None, what="the end of zdaemon")
    pid = pid_of(started.ctl("status").out)
    (text,) = warned(started, "daemon")
    assert text.startswith(f"pid {pid} ")
    assert "'restart' starts both" in text


def test_a_daemon_that_something_else_runs_is_fine(site):
    with site.background("run"):
        wait_until(lambda: site.ctl("status").status == 0, what="the daemon")
        assert len(fine(site, "daemon")) == 1
        assert warned(site, "daemon") == []


def another_seen(site, seen: float) -> None:
    with site.queue() as queue, queue.write() as tx:
        register(tx, daemon_seen(seen, host="far", pid=7))


def test_a_daemon_whose_clock_is_ahead_is_a_warning(site):
    another_seen(site, time.time() + 3600)
    found = site.ctl("check", "--json").json
    (text,) = texts(found, "clock", "warning")
    assert texts(found, "clock", "ok") == []
    assert "pid 7 on far is " in text
    assert "NTP" in text


def test_clocks_that_agree_are_fine(site):
    another_seen(site, time.time() - 1)
    assert fine(site, "clock") == ["agrees with the daemons and the disk"]
    assert not [path for path in site.home.iterdir() if "clock" in path.name]


def test_a_disk_with_another_time_is_a_warning(site, monkeypatch):
    monkeypatch.setattr(clock.time, "time", lambda now=time.time: now() + 90)
    (finding,) = clock.check(site.configuration)
    assert finding.level is Level.WARNING
    assert "differs by 1m 30s" in finding.text


def test_a_disk_that_takes_long_is_not_said_to_have_another_time(site, monkeypatch):
    make, needed = tempfile.NamedTemporaryFile, []

    def slowly(**options):
        needed.append(90)
        return make(**options)

    monkeypatch.setattr(tempfile, "NamedTemporaryFile", slowly)
    monkeypatch.setattr(clock.time, "time", lambda now=time.time: now() + sum(needed))
    assert list(clock._disk(site.home)) == []


def test_metrics_without_their_library_are_a_warning(site, monkeypatch):
    site.configure(MAILDROP_METRICS=9180)
    monkeypatch.setattr(library, "find_spec", lambda name: None)
    levels = {
        each.level: each.text for each in configurationfile.check(site.configuration)
    }
    assert "collective.maildrophost[metrics]" in levels[Level.WARNING]
