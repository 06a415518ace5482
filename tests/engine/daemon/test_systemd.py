"""What systemd is told: that the daemon works, reloads, stops, and is not stuck."""

from __future__ import annotations

import asyncio
import os
import re
import signal
import sqlite3
import sys
import threading
import time
from pathlib import Path
from types import SimpleNamespace

import pytest
from engine.processes import waits_for_lock
from servers.scripted import Late, Scripted
from servers.systemd import WATCHDOG_SECONDS, Manager
from waiting import PATIENCE_SECONDS, wait_until

from collective.maildrophost.engine.daemon import systemd as module
from collective.maildrophost.engine.daemon.systemd import Systemd

# The daemon with a heartbeat that is always at work in the queue, which it waits for
# without end, and a doorbell whose ring never ends: the event loop stands still in it.
WEDGED = """
import sys, time
from collective.maildrophost.engine.cli import main
from collective.maildrophost.engine.daemon import heartbeat
from collective.maildrophost.engine.daemon.doorkeeper import Doorkeeper
from collective.maildrophost.engine.queue.sqlite import lock
heartbeat.RENEW_SECONDS = 0.05
lock.BUSY_TIMEOUT_SECONDS = 3600
Doorkeeper._rung = lambda self: time.sleep(3600)
sys.exit(main(sys.argv[1:]))
"""


@pytest.fixture
def watched(site, manager):
    """A site whose daemon is watched, and can be wedged."""
    site.environ = manager.environ(WATCHDOG_SECONDS)
    site.program = (sys.executable, "-c", WEDGED)
    return site


def test_a_daemon_is_ready_once_it_works_on_the_queue(told, manager):
    with told.daemon(wait=False) as daemon:
        ready = manager.next()
        assert daemon.row is not None
    assert ready == {"READY": "1", "STATUS": "relay 127.0.0.1:25"}


def test_a_daemon_that_cannot_start_is_never_ready(told, manager):
    told.configure(MAILDROP_QUEUE=f"sqlite:///{told.home}")
    process = told.start()
    process.communicate(timeout=PATIENCE_SECONDS)
    assert process.returncode == 1
    assert manager.is_silent()


def test_it_stops_from_the_signal_on_not_from_the_last_mail_on(told, manager):
    answered = threading.Event()
    with Scripted({"END": Late(answered, "250 2.0.0 Ok")}) as relay:
        told.configure(SMTP_PORT=relay.port, MAILDROP_STOP_TIMEOUT=60)
        with told.daemon() as daemon:
            assert manager.next()["READY"] == "1"
            told.send()
            wait_until(lambda: relay.received, what="the content")
            daemon.signal(signal.SIGTERM)
            assert manager.next() == {"STOPPING": "1"}
            assert daemon.process.poll() is None
            answered.set()
            assert daemon.process.wait(PATIENCE_SECONDS) == 0


def test_a_reload_is_reported_with_its_time_and_its_end(told, manager):
    with told.daemon() as daemon:
        assert manager.next()["READY"] == "1"
        before = time.monotonic_ns() // 1000
        told.configure(SMTP_PORT=26)
        daemon.signal(signal.SIGHUP)
        reloading = manager.next()
        assert reloading["RELOADING"] == "1"
        assert before <= int(reloading["MONOTONIC_USEC"]) <= time.monotonic_ns() // 1000
        assert manager.next() == {"READY": "1", "STATUS": "relay 127.0.0.1:26"}


def test_a_configuration_that_is_refused_is_reported_and_no_reload(told, manager):
    with told.daemon() as daemon:
        assert manager.next()["READY"] == "1"
        told.configure(SMTP_PORT="many")
        daemon.signal(signal.SIGHUP)
        wait_until(lambda: told.log_lines("SMTP_PORT"), what="the error in the log")
        (refused,) = manager.next().items()
        assert refused[0] == "STATUS"
        assert re.fullmatch(
            r"relay 127\.0\.0\.1:25; configuration refused at [-\d]{10} \d\d:\d\d, "
            r"the old one stays in force: .*: SMTP_PORT: .*",
            refused[1],
        )
        daemon.stop()
        assert manager.next() == {"STOPPING": "1"}


def test_a_watched_daemon_gives_signs_of_life(watched, manager):
    with watched.daemon():
        assert manager.next()["READY"] == "1"
        for _ in range(3):
            assert manager.next() == {"WATCHDOG": "1"}


def test_signs_of_life_come_twice_as_often_as_they_have_to(manager, monkeypatch):
    pauses = []

    async def pause(seconds):
        pauses.append(seconds)
        if len(pauses) == 3:
            raise asyncio.CancelledError

    monkeypatch.setattr(module, "asyncio", SimpleNamespace(sleep=pause))
    with pytest.raises(asyncio.CancelledError):
        asyncio.run(Systemd(manager.environ(3.0)).watch())
    assert pauses == [1.5] * 3
    assert [manager.next() for _ in pauses] == [{"WATCHDOG": "1"}] * 3


def test_a_wedged_event_loop_gives_no_sign_of_life(watched, manager):
    with watched.daemon() as daemon:
        assert manager.next()["READY"] == "1"
        assert manager.next() == {"WATCHDOG": "1"}
        watched.send()
        assert wait_until(manager.is_silent, what="silence")
        assert daemon.process.poll() is None


def test_a_queue_that_hangs_is_no_reason_to_kill_the_daemon(watched, manager):
    with watched.daemon() as daemon:
        assert manager.next()["READY"] == "1"
        path = Path(watched.home) / "queue.db"
        locked = sqlite3.connect(path, timeout=PATIENCE_SECONDS)
        locked.execute("BEGIN IMMEDIATE")
        wait_until(lambda: waits_for_lock(daemon.pid), what="a heartbeat caught in it")
        for _ in range(4):  # One may have come before.
            assert manager.next() == {"WATCHDOG": "1"}
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
def test_only_the_process_that_systemd_watches_gives_signs_of_life(watched, seconds):
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
