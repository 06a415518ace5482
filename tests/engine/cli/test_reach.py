"""A signal goes to the daemon or to nobody; one that none reaches is named."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time

import pytest
from daemons import daemon_seen

from collective.maildrophost.engine import doorbell
from collective.maildrophost.engine.cli import heartbeats
from collective.maildrophost.engine.cli.processes import OfAnotherUser
from collective.maildrophost.engine.cli.whichdaemon import check_nobody_else_runs_it
from collective.maildrophost.engine.queue import Daemon, register
from collective.maildrophost.engine.system import identity
from collective.maildrophost.engine.system.identity import process_identity


@pytest.fixture
def bell(site):
    """Where the daemon listens."""
    var = site.home / "var"
    var.mkdir()
    bell = doorbell.listen(var)
    yield bell
    bell.close()


@pytest.fixture
def other():
    """Another process of this machine."""
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=-1) as process:
        yield process
        process.kill()


@pytest.fixture
def works(site, bell):
    """Have a daemon work on the queue; what is special about it."""

    def working(**special: object) -> Daemon:
        own = {
            "host": socket.gethostname(),
            "pid": os.getpid(),
            "process": process_identity(),
            "doorbell": str(bell.path),
        }
        daemon = daemon_seen(time.time(), **{**own, **special})
        with site.queue() as queue, queue.write() as tx:
            register(tx, daemon)
        return daemon

    return working


def in_another_container() -> dict[str, object]:
    boot = process_identity().split()[0]
    return {"host": "container-1", "pid": 1, "process": f"{boot} pid:[1] 1 100"}


def test_a_daemon_in_another_container_is_named_and_not_said_to_be_stopped(site, works):
    works(**in_another_container())
    for command in ("stop", "reload", "restart"):
        ended = site.ctl(command)
        assert ended.status == 1
        assert "pid 1 on container-1 works on this queue, but out of reach" in ended.err
        assert ended.out == ""
    assert len(heartbeats.alive(site.configuration)) == 1, "no second one"


def test_a_daemon_that_was_killed_in_another_container_does_not_count(
    site, works, bell
):
    works(**in_another_container())
    bell._socket.close()
    ended = site.ctl("stop")
    assert (ended.status, ended.out) == (0, "not running\n")


def test_a_daemon_from_before_a_power_cut_does_not_count(site, works):
    works(process="another-boot pid:[1] 1 100", doorbell=str(site.home / "var/gone"))
    assert site.ctl("stop").out == "not running\n"


def test_a_daemon_out_of_reach_with_another_var_is_not_ours(site, works):
    works(**in_another_container(), doorbell="/elsewhere/doorbell.1")
    assert site.ctl("stop").out == "not running\n"


def test_a_daemon_is_known_after_its_machine_was_given_another_name(site, works, other):
    works(host="as-it-was", pid=other.pid, process=process_identity(other.pid))
    assert heartbeats.local_pids(site.configuration) == [other.pid]


def test_a_restart_says_that_the_daemon_is_another_users(
    site, works, other, monkeypatch
):
    """Who may not look into it would take it for one that 'start' has not started."""

    def refused(pid: int, number: int) -> None:
        raise PermissionError

    works(pid=other.pid, process=process_identity(other.pid))
    monkeypatch.setattr(os, "kill", refused)
    with pytest.raises(OfAnotherUser, match="run this command as that user"):
        check_nobody_else_runs_it(site.configuration)


@pytest.fixture
def without_proc(monkeypatch, tmp_path):
    monkeypatch.setattr(identity, "PROC", tmp_path / "missing")


def test_without_proc_a_daemon_is_known_by_its_doorbell(
    site, works, other, without_proc
):
    works(pid=other.pid, process="")
    assert heartbeats.local_pids(site.configuration) == [other.pid]


def test_without_proc_another_process_with_its_pid_is_not_taken_for_it(
    site, works, bell, other, without_proc
):
    works(pid=other.pid, process="")
    bell._socket.close()
    assert heartbeats.local_pids(site.configuration) == []
    assert heartbeats.out_of_reach(site.configuration) == [], "it was killed"


def test_without_proc_a_command_does_not_take_itself_for_the_daemon(
    site, works, without_proc
):
    """In another container with the same name, in which both have the PID 7."""
    daemon = works(process="")
    assert heartbeats.local_pids(site.configuration) == []
    assert heartbeats.out_of_reach(site.configuration) == [daemon]


def test_where_only_the_daemon_has_seen_proc_it_is_out_of_reach(
    site, works, other, without_proc
):
    daemon = works(pid=other.pid, process="boot pid:[1] 7 100")
    assert heartbeats.local_pids(site.configuration) == []
    assert heartbeats.out_of_reach(site.configuration) == [daemon]
