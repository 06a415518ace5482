"""A file without a lock is taken when nobody has changed it for a second."""

from __future__ import annotations

import os
import time

from engine.intake.drops import MAIL, Ahead, drop, messages
from waiting import PATIENCE_SECONDS, wait_until

from collective.maildrophost.engine.intake import Intake
from collective.maildrophost.engine.intake import scan as module
from collective.maildrophost.engine.queue import content


def test_a_growing_file_is_taken_only_once_it_is_quiet(queue, spool):
    intake = Intake(queue, [spool], add_message_id=True)
    started = last = time.monotonic()
    with open(spool / "growing", "wb", buffering=0) as file:
        file.write(MAIL)

        def grow() -> bool:
            nonlocal last
            last = time.monotonic()
            file.write(b"more\n")
            assert intake.scan() == 0
            return time.monotonic() - started > 1.2

        wait_until(grow)
    assert intake.waits
    wait_until(intake.scan, what="the file's turn")
    assert time.monotonic() - last >= module.QUIET_SECONDS
    assert not intake.waits
    (record,) = messages(queue)
    with queue.read() as tx:
        assert content(tx, record.id).endswith(b"more\n")


def test_a_file_that_is_written_when_the_clock_jumps_ahead_is_taken_whole(
    queue, spool, monkeypatch
):
    """As after a suspend: it looks old, and its writer has not finished."""
    intake = Intake(queue, [spool], add_message_id=True)
    quiet_seconds = module.QUIET_SECONDS
    # As on a busy machine, on which the writer needs more than that.
    monkeypatch.setattr(module, "QUIET_SECONDS", PATIENCE_SECONDS)
    with open(spool / "half", "wb", buffering=0) as file:
        file.write(MAIL)
        assert intake.scan() == 0
        monkeypatch.setattr(module, "time", Ahead(3600))
        assert [intake.scan(), intake.scan()] == [0, 0]
        file.write(b"the other half\n")
    monkeypatch.setattr(module, "QUIET_SECONDS", quiet_seconds)
    wait_until(intake.scan, what="the file's turn")
    (record,) = messages(queue)
    with queue.read() as tx:
        assert content(tx, record.id).endswith(b"the other half\n")


def test_a_new_file_is_watched_where_the_clock_of_its_file_system_is_behind(
    queue, spool, monkeypatch
):
    monkeypatch.setattr(module, "time", Ahead(3600))
    intake = Intake(queue, [spool], add_message_id=True)
    intake.scan()
    drop(spool, "mail-1")
    assert intake.scan() == 0
    wait_until(intake.scan, what="the file's turn")


def test_a_file_that_has_been_there_for_long_is_taken_at_the_first_look(
    queue, spool, monkeypatch
):
    drop(spool, "mail-1")
    monkeypatch.setattr(module, "time", Ahead(3600))
    assert Intake(queue, [spool], add_message_id=True).scan() == 1


def test_an_old_file_that_was_put_there_just_now_is_watched(queue, spool, monkeypatch):
    """As by `cp -p`, which may not have finished."""
    monkeypatch.setattr(module, "QUIET_SECONDS", PATIENCE_SECONDS)
    os.utime(drop(spool, "mail-1"), (0, 0))
    assert Intake(queue, [spool], add_message_id=True).scan() == 0


def test_a_file_from_the_future_is_taken_once_it_was_seen_quiet(queue, spool):
    intake = Intake(queue, [spool], add_message_id=True)
    dropped = drop(spool, "future")
    tomorrow = time.time() + 86400
    os.utime(dropped, (tomorrow, tomorrow))
    assert intake.scan() == 0
    wait_until(intake.scan, what="the file's turn")
