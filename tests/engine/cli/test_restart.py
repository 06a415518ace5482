"""`restart`: another daemon takes the place of the one that runs, where it can."""

from __future__ import annotations

import os
import re
import signal
import subprocess

import pytest
from commands import PROGRAM, environment
from engine.cli.conftest import manager_of, pid_of
from waiting import wait_until

from collective.maildrophost.engine.cli.processes import lives


def test_restart_leaves_a_daemon_that_somebody_runs_to_them(site):
    with site.background("run") as daemon:
        wait_until(lambda: site.ctl("status").status == 0, what="the daemon")
        ended = site.ctl("restart")
        assert ended.status == 1
        assert f"pid {daemon.pid} goes on" in ended.err
        assert "'systemctl restart'" in ended.err
        assert pid_of(site.ctl("status").out) == daemon.pid
        assert site.ctl("stop").status == 0
        assert site.ctl("restart").out.startswith("started, pid ")


def test_restart_replaces_the_daemon(started):
    pid = pid_of(started.ctl("status").out)
    ended = started.ctl("restart")
    assert ended.status == 0, ended.err
    assert pid_of(started.ctl("status").out) != pid
    assert not lives(pid)


@pytest.mark.parametrize(
    ("option", "value"),
    [("MAILDROP_SPOOL", "/proc/nowhere"), ("MAILDROP_LOG_FILE", "/proc")],
)
def test_restart_ends_no_daemon_that_the_next_could_not_follow(started, option, value):
    pid = pid_of(started.ctl("status").out)
    started.configure(**{option: value})
    ended = started.ctl("restart")
    assert ended.status == 1
    assert option in ended.err
    assert lives(pid)


def test_restart_goes_on_when_its_output_cannot_be_written(started):
    pid = pid_of(started.ctl("status").out)
    with open("/dev/full", "w") as full:
        ended = subprocess.run(
            [*PROGRAM, "--config", str(started.path), "restart"],
            env=environment(),
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )
    assert ended.returncode == 0
    assert re.findall(r"(\w+), pid", ended.stderr) == ["stopped", "started"]
    assert pid_of(started.ctl("status").out) != pid


def test_restart_starts_a_stopped_daemon(site):
    ended = site.ctl("restart")
    assert ended.status == 0, ended.err
    assert site.ctl("status").status == 0


def test_restart_takes_over_from_a_daemon_whose_zdaemon_was_killed(started):
    orphan, manager = pid_of(started.ctl("status").out), manager_of(started)
    os.kill(manager, signal.SIGKILL)
    ended = started.ctl("restart")
    assert ended.status == 0, ended.err
    assert ended.out.startswith(f"stopped, pid {orphan}; its zdaemon was gone\n")
    wait_until(lambda: not lives(orphan), what="the end of the orphan")
    assert manager_of(started) != manager


def test_start_names_a_daemon_whose_zdaemon_was_killed(started):
    orphan = pid_of(started.ctl("status").out)
    os.kill(manager_of(started), signal.SIGKILL)
    ended = started.ctl("start")
    assert ended.status == 0, ended.err
    assert ended.out.startswith(f"already running, pid {orphan}; its zdaemon is gone")
