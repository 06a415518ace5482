"""What systemd is told: that the daemon works, reloads, stops, and still turns."""

from __future__ import annotations

import os
import signal
import sqlite3
import sys
import threading
import time
from pathlib import Path

import pytest
from servers.scripted import Late, Scripted
from servers.systemd import (
    LONGER_THAN_ANY_PAUSE_SECONDS,
    WATCHDOG_SECONDS,
    Manager,
)
from waiting import wait_until

from collective.maildrophost.engine.daemon.systemd import Systemd

# The daemon with a heartbeat that is always at work in the queue, and a doorbell whose
# ring never ends: the event loop stands still in it.
WEDGED = """
import sys, time
from collective.maildrophost.engine.cli import main
from collective.maildrophost.engine.daemon import heartbeat
from collective.maildrophost.engine.daemon.service import Service
heartbeat.RENEW_SECONDS = 0.05
Service._rung = lambda self: time.sleep(60)
sys.exit(main(sys.argv[1:]))
"""


@pytest.fixture
def watched(site, manager):
    """A site whose daemon is watched, and can be wedged."""
    site.environ = manager.environ(WATCHDOG_SECONDS)
    site.program = (sys.executable, "-c", WEDGED)
    return site


def test_it_is_ready_once_it_works_on_the_queue(told, manager):
    with told.daemon(wait=False) as daemon:
        ready = manager.next()
        assert daemon.row is not None
    assert ready == {"READY": "1", "STATUS": "relay 127.0.0.1:25"}


def test_a_daemon_that_cannot_start_is_never_ready(told, manager):
    told.configure(MAILDROP_QUEUE=f"sqlite:///{told.home}")
    process = told.start()
    process.communicate(timeout=20)
    assert process.returncode == 1
    assert manager.is_silent()


def test_it_stops_from_the_signal_on_not_from_the_last_mail_on(told, manager):
    answered = threading.Event()
    with Scripted({"END": Late(answered, "250 2.0.0 Ok")}) as relay:
        told.configure(SMTP_PORT=relay.port)
        with told.daemon() as daemon:
            assert manager.next()["READY"] == "1"
            told.send()
            wait_until(lambda: relay.received, 10, "the content")
            daemon.signal(signal.SIGTERM)
            assert manager.next() == {"STOPPING": "1"}
            assert daemon.process.poll() is None
            answered.set()
            assert daemon.process.wait(10) == 0


def test_a_reload_is_told_with_its_time_and_its_end(told, manager):
    with told.daemon() as daemon:
        assert manager.next()["READY"] == "1"
        before = time.monotonic_ns() // 1000
        told.configure(SMTP_PORT=26)
        daemon.signal(signal.SIGHUP)
        reloading = manager.next()
        assert reloading["RELOADING"] == "1"
        assert before <= int(reloading["MONOTONIC_USEC"]) <= time.monotonic_ns() // 1000
        assert manager.next() == {"READY": "1", "STATUS": "relay 127.0.0.1:26"}


def test_a_configuration_that_is_refused_is_no_reload(told, manager):
    with told.daemon() as daemon:
        assert manager.next()["READY"] == "1"
        told.configure(SMTP_PORT="many")
        daemon.signal(signal.SIGHUP)
        wait_until(lambda: told.log_lines("SMTP_PORT"), 10, "the error in the log")
        daemon.stop()
        assert manager.next() == {"STOPPING": "1"}


def test_a_watched_daemon_gives_signs_of_life_in_time(watched, manager):
    with watched.daemon():
        assert manager.next()["READY"] == "1"
        for _ in range(5):
            assert manager.next(WATCHDOG_SECONDS) == {"WATCHDOG": "1"}


def test_a_wedged_event_loop_gives_none(watched, manager):
    with watched.daemon() as daemon:
        assert manager.next()["READY"] == "1"
        assert manager.next(WATCHDOG_SECONDS) == {"WATCHDOG": "1"}
        watched.send()
        assert wait_until(manager.is_silent, what="silence")
        assert daemon.process.poll() is None


def test_a_queue_that_hangs_is_no_reason_to_kill_the_daemon(watched, manager):
    with watched.daemon():
        assert manager.next()["READY"] == "1"
        locked = sqlite3.connect(Path(watched.home) / "queue.db")
        locked.execute("BEGIN IMMEDIATE")
        # Long enough for the heartbeat to be caught in it.
        until = time.monotonic() + LONGER_THAN_ANY_PAUSE_SECONDS
        while time.monotonic() < until:
            assert manager.next(WATCHDOG_SECONDS) == {"WATCHDOG": "1"}
        locked.rollback()
        locked.close()


def test_a_daemon_that_is_not_watched_is_silent(told, manager):
    with told.daemon():
        assert manager.next()["READY"] == "1"
        assert manager.is_silent()


@pytest.mark.parametrize(
    ("watched", "seconds"),
    [
        ({"WATCHDOG_USEC": "3000000"}, 3.0),
        ({"WATCHDOG_USEC": "3000000", "WATCHDOG_PID": str(os.getpid())}, 3.0),
        ({"WATCHDOG_USEC": "3000000", "WATCHDOG_PID": "1"}, 0.0),
        ({"WATCHDOG_USEC": "soon"}, 0.0),
        ({}, 0.0),
    ],
)
def test_only_the_process_that_is_meant_is_watched(watched, seconds):
    assert Systemd(watched)._watchdog_seconds == seconds


def test_the_abstract_name_of_a_socket_is_understood():
    manager = Manager(f"@maildrop-test-{os.getpid()}")
    try:
        Systemd(manager.environ()).stopping()
        assert manager.next() == {"STOPPING": "1"}
    finally:
        manager.close()


def test_a_manager_that_is_gone_hurts_nobody(tmp_path):
    Systemd({"NOTIFY_SOCKET": str(tmp_path / "gone")}).ready("relay")
