"""A daemon that goes on although it was told to stop: what a person is told to do."""

from __future__ import annotations

import os
import re
import signal
import subprocess

import pytest

from collective.maildrophost.engine.cli import processes, stopping
from collective.maildrophost.engine.cli.zdaemon import Supervised, Supervisor

LIVES, NONE = os.getppid(), 0


@pytest.fixture
def stop(site, inside, monkeypatch):
    """`stop` of a daemon whose zdaemon, this process, does not end."""
    site.configure(MAILDROP_STOP_TIMEOUT=0)
    monkeypatch.setattr(stopping, "KILL_MARGIN_SECONDS", 0.05)
    monkeypatch.setattr(Supervisor, "ask", lambda self, command: "")

    def stop(pid: int) -> str:
        state = Supervised(pid=pid, manager=os.getpid(), last_start=1.0)
        monkeypatch.setattr(Supervisor, "state", lambda self: state)
        ended = inside("--config", str(site.path), "stop")
        assert ended.status == 1
        return re.search(r"'kill -9 ([\d ]+)'", ended.err).group(1)

    return stop


def test_zdaemon_is_named_first_because_it_would_start_another_daemon(stop):
    assert stop(LIVES) == f"{os.getpid()} {LIVES}"


def test_without_a_daemon_zdaemon_is_named_alone(stop):
    assert stop(NONE) == f"{os.getpid()}"


def test_a_daemon_that_has_just_ended_needs_no_signal():
    with subprocess.Popen(["true"]) as ended:
        pass
    processes.send_signal(ended.pid, signal.SIGTERM)


def test_a_daemon_of_another_user_is_named_with_what_to_do(monkeypatch):
    # Root may stop any: the answer of the system is put in its place.
    def refuse(pid: int, number: int) -> None:
        raise PermissionError

    monkeypatch.setattr(processes.os, "kill", refuse)
    with pytest.raises(
        processes.OfAnotherUser, match="pid 7 belongs to another user: "
    ):
        processes.send_signal(7, signal.SIGTERM)
