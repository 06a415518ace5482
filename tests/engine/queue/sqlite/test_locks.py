"""Who waits for a lock of SQLite, and how long."""

from __future__ import annotations

import sqlite3
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from collective.maildrophost.engine.queue import (
    QueueError,
    enqueue,
    open_queue,
    queue_length,
)
from collective.maildrophost.engine.queue.sqlite import lock

WAITING = 40


def test_a_writer_looks_for_the_end_of_a_lock_all_the_time(hands, path, monkeypatch):
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    pauses = []

    def counted(seconds):
        pauses.append(seconds)
        if len(pauses) == 20:
            other.execute("ROLLBACK")

    monkeypatch.setattr(lock, "pause", counted)
    hands.send()
    assert pauses == [lock.TURN_SECONDS] * 20
    assert len(hands.claim()) == 1
    other.close()


def test_readers_wait_for_a_lock_as_long_as_ever_after_a_writer_gave_up(
    hands, queue, path, monkeypatch
):
    def timeout():
        with queue.read() as tx:
            return tx.exec_driver_sql("PRAGMA busy_timeout").scalar_one()

    hands.send()
    assert timeout() == lock.BUSY_TIMEOUT_SECONDS * 1000
    monkeypatch.setattr(lock, "BUSY_TIMEOUT_SECONDS", 0.1)
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(QueueError, match="kept it locked"), queue.write():
        pass
    assert timeout() == 100
    other.close()


def test_a_lock_that_lasts_is_an_error_that_says_so(hands, queue, path, monkeypatch):
    monkeypatch.setattr(lock, "BUSY_TIMEOUT_SECONDS", 0.1)
    short = open_queue(queue.url)
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(QueueError, match="kept it locked"), short.write():
        pass
    other.execute("ROLLBACK")
    with short.write() as tx:
        enqueue(tx, [hands.mail()], hands.now)
    other.close()
    short.close()


def test_a_lock_that_lasts_is_waited_for_once(hands, queue, monkeypatch):
    tries = []

    def run(tx):
        tries.append(tx)
        raise sqlite3.OperationalError("database is locked")

    monkeypatch.setattr(queue.database.begin_write, "run", run)
    with pytest.raises(QueueError, match="is locked"):
        hands.send()
    assert len(tries) == 1


def test_a_thread_that_waits_for_another_thread_blames_no_other_program(
    queue, monkeypatch
):
    monkeypatch.setattr(lock, "BUSY_TIMEOUT_SECONDS", 0.1)
    with queue.write(), ThreadPoolExecutor(1) as threads:
        waiting = threads.submit(queue.write().__enter__)
        with pytest.raises(
            QueueError, match=r"queue\.db: other threads of this process"
        ):
            waiting.result()


def test_no_thread_waits_longer_for_a_lock_because_others_wait_for_it(
    queue, path, monkeypatch
):
    monkeypatch.setattr(lock, "BUSY_TIMEOUT_SECONDS", 1.0)
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")

    def waited(_):
        began = time.monotonic()
        with pytest.raises(QueueError, match="kept it locked"), queue.write():
            pass
        return time.monotonic() - began

    with ThreadPoolExecutor(WAITING) as threads:
        # One after the other they would have waited for a second each.
        assert max(threads.map(waited, range(WAITING))) < WAITING / 2
    other.close()


def test_a_reader_does_not_wait_for_a_writer(queue, hands):
    with queue.write() as tx:
        enqueue(tx, [hands.mail()], hands.now)
        with queue.read() as other:
            assert queue_length(other) == 0
