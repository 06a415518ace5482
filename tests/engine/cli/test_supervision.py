"""A daemon that crashes, hangs, is stopped or restarted while mail is on its way."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from email import message_from_bytes
from pathlib import Path

import pytest
from engine.cli.conftest import pid_of
from engine.faults.outages import hang
from servers.catcher import Catcher
from servers.scripted import Late, Scripted
from waiting import PATIENCE_SECONDS, wait_until

from collective.maildrophost.engine.cli import main, zdaemon
from collective.maildrophost.engine.cli.processes import lives
from collective.maildrophost.engine.doorbell import ring
from collective.maildrophost.engine.message import compose
from collective.maildrophost.engine.queue import doorbells, enqueue

LEASE_IS_OVER = "+90s"
"""Longer than a daemon may be silent, and than a start takes."""


def later() -> dict[str, str]:
    """The environment of a command that looks at the clock a while later."""
    libraries = sorted(Path("/usr/lib").glob("*/faketime/libfaketimeMT.so.1"))
    assert libraries, "libfaketime is missing (apt-get install libfaketime)"
    return {
        "LD_PRELOAD": str(libraries[0]),
        "FAKETIME": LEASE_IS_OVER,
        "FAKETIME_DONT_FAKE_MONOTONIC": "1",
        "NO_FAKE_STAT": "1",
    }


def test_a_daemon_that_crashes_comes_back_each_time(started):
    for _ in range(2):
        pid = pid_of(started.ctl("status").out)
        os.kill(pid, signal.SIGKILL)

        def back(killed: int = pid) -> bool:
            status = started.ctl("status")
            return status.status == 0 and pid_of(status.out) != killed

        wait_until(back, what="the next daemon")


@pytest.fixture
def wedged(site):
    """A site whose daemon was started, and stands still."""
    site.configure(MAILDROP_STOP_TIMEOUT=0)
    pid = pid_of(site.ctl("start").out)
    with site.queue() as queue:
        hang(pid, queue)
    yield site
    if lives(pid):
        os.kill(pid, signal.SIGCONT)


def test_a_daemon_that_hangs_is_told_by_status(wedged):
    status = wedged.ctl("status", **later())
    assert status.status == 3
    assert "gave no sign of life" in status.out


def test_a_start_beside_a_daemon_that_hangs_says_what_to_do(wedged):
    ended = wedged.ctl("start", **later())
    assert ended.status == 1
    assert "gives no sign of life: 'restart'" in ended.err


def test_a_restart_ends_a_daemon_that_hangs(wedged):
    hangs = pid_of(wedged.ctl("status").out)
    ended = wedged.ctl("restart")
    assert ended.status == 0, ended.err
    assert not lives(hangs)
    assert pid_of(wedged.ctl("status").out) != hangs


def test_stop_waits_for_the_mail_in_flight_and_says_so(site):
    answered = threading.Event()
    with Scripted({"END": Late(answered, "250 2.0.0 Ok")}) as relay:
        site.configure(SMTP_PORT=relay.port, MAILDROP_STOP_TIMEOUT=30)
        assert site.ctl("start").status == 0
        id = site.send()
        wait_until(lambda: relay.received, what="the content")
        with site.background("stop") as stop:
            assert stop.line() == "mails in flight have up to 30 seconds…\n"
            assert stop.process.poll() is None
            assert site.state_of(id) == "sending"
            answered.set()
            assert stop.line().startswith("stopped, pid ")
            assert stop.process.wait(PATIENCE_SECONDS) == 0
    message = site.ctl("show", id, "--json").json
    assert (message["state"], message["possible_duplicate"]) == ("sent", False)


def test_stop_waits_no_longer_than_it_was_told_to(site):
    with Scripted({"END": Late(threading.Event(), "250 2.0.0 Ok")}) as relay:
        site.configure(SMTP_PORT=relay.port, MAILDROP_STOP_TIMEOUT=0.5)
        assert site.ctl("start").status == 0
        id = site.send()
        wait_until(lambda: relay.received, what="the content")
        assert site.ctl("stop").status == 0
    message = site.ctl("show", id, "--json").json
    assert (message["state"], message["possible_duplicate"]) == ("queued", True)


def test_stop_gives_the_time_that_a_reload_has_given(site, monkeypatch):
    """zdaemon would kill the daemon by what MAILDROP_STOP_TIMEOUT was at its start."""
    monkeypatch.setattr(zdaemon, "KILL_MARGIN_SECONDS", 1)
    answered = threading.Event()
    with Scripted({"END": Late(answered, "250 2.0.0 Ok")}) as relay:
        site.configure(SMTP_PORT=relay.port, MAILDROP_STOP_TIMEOUT=0)
        assert main(["--config", str(site.path), "start"]) == 0
        site.configure(SMTP_PORT=relay.port, MAILDROP_STOP_TIMEOUT=30)
        assert site.ctl("reload").status == 0
        log = site.home / "var" / "maildrop.log"
        wait_until(lambda: log.read_text().count("started") == 2, what="the reload")
        id = site.send()
        wait_until(lambda: relay.received, what="the content")
        with site.background("stop") as stop:
            # By the time that zdaemon was given it would have been killed by now.
            assert stop.line() == "mails in flight have up to 30 seconds…\n"
            answered.set()
            assert stop.line().startswith("stopped, pid ")
            assert stop.process.wait(PATIENCE_SECONDS) == 0
    message = site.ctl("show", id, "--json").json
    assert (message["state"], message["possible_duplicate"]) == ("sent", False)


class Flow:
    """Mail that is queued all the time, each with a subject of its own."""

    def __init__(self, site) -> None:
        self._site = site
        self._ended = threading.Event()
        self.sent: list[str] = []

    def run(self) -> None:
        with self._site.queue() as queue:
            while not self._ended.wait(0.01):
                subject = f"number {len(self.sent)}"
                text = f"Subject: {subject}\n\nbody\n"
                mail = compose(text, "a@example.org", ["b@example.org"], now=0.0)
                with queue.write() as tx:
                    enqueue(tx, [mail], time.time())
                    bells = doorbells(tx)
                ring(bells)
                self.sent.append(subject)

    def end(self) -> None:
        self._ended.set()


@pytest.mark.parametrize("command", ["restart", "reload"])
def test_while_mail_flows_nothing_is_lost_and_nothing_doubled(command, site):
    with Catcher() as relay, ThreadPoolExecutor() as threads:
        site.configure(SMTP_PORT=relay.port, MAILDROP_STOP_TIMEOUT=30)
        assert site.ctl("start").status == 0
        flow = Flow(site)
        running = threads.submit(flow.run)
        try:
            for _ in range(2):
                relay.wait_for(len(relay.messages) + 20)
                ended = site.ctl(command)
                assert ended.status == 0, ended.err
            relay.wait_for(len(relay.messages) + 20)
        finally:
            flow.end()
        running.result(PATIENCE_SECONDS)
        relay.wait_for(len(flow.sent))
        assert site.ctl("stop").status == 0
        arrived = [message_from_bytes(each.content) for each in relay.messages]
        assert Counter(each["Subject"] for each in arrived) == Counter(flow.sent)
