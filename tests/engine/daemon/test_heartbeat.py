"""A daemon keeps its lease, and leaves a daemon alone that keeps its own."""

from __future__ import annotations

import asyncio
import logging
import signal
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from daemons import rows
from waiting import PATIENCE_SECONDS, until

from collective.maildrophost.engine.daemon.heartbeat import LEASE_SECONDS, LeaseLost
from collective.maildrophost.engine.large import LARGE_OCTETS
from collective.maildrophost.engine.queue import (
    QueueError,
    State,
    claim,
    enqueue,
    get_message,
    recover,
    retire,
)
from collective.maildrophost.engine.system import signals


def test_the_lease_is_renewed(queue, heartbeat):
    (first,) = rows(queue)
    assert first.lease_until == first.seen + LEASE_SECONDS

    async def until_seen() -> None:
        task = asyncio.create_task(heartbeat.run())
        await until(
            lambda: rows(queue)[0].lease_until != first.lease_until, "another lease"
        )
        task.cancel()

    asyncio.run(until_seen())
    assert rows(queue)[0].seen > first.seen


def test_the_lease_is_renewed_while_all_other_threads_are_busy(queue, heartbeat):
    (first,) = rows(queue)
    answered = threading.Event()

    async def until_seen() -> None:
        threads = ThreadPoolExecutor(1)
        asyncio.get_running_loop().set_default_executor(threads)
        threads.submit(answered.wait, 2 * PATIENCE_SECONDS)
        running = asyncio.create_task(heartbeat.run())
        try:
            await until(lambda: rows(queue)[0].seen != first.seen, "another beat")
        finally:
            answered.set()
            running.cancel()

    asyncio.run(until_seen())


@pytest.mark.parametrize(("failed", "wait"), [(True, 60.0), (False, 0.0)])
def test_large_mail_that_a_failed_daemon_had_twice_waits(
    queue, heartbeat, make_mail, failed, wait
):
    began = time.time()
    with queue.write() as tx:
        (id,) = enqueue(tx, [make_mail(body="x\n" * LARGE_OCTETS)], began)
        claim(tx, "one before", [int(id)], began)
        recover(tx, "one before")
        claim(tx, heartbeat.owner, [int(id)], began)
    heartbeat.stop(failed)
    with queue.read() as tx:
        record = get_message(tx, id)
    assert record.state is State.QUEUED
    assert record.due - began == pytest.approx(wait, abs=20)


def test_the_thread_of_the_heartbeat_gets_no_signal(heartbeat):
    """A signal that comes between two loops has to wait for the next one."""
    ask = signal.pthread_sigmask, signal.SIG_BLOCK, []
    assert heartbeat._thread.submit(*ask).result() >= signals.HEEDED


def test_no_beat_comes_after_the_end(queue, heartbeat, monkeypatch):
    begun, ended = threading.Event(), []

    def slow_beat() -> bool:
        begun.set()
        time.sleep(0.3)
        ended.append(rows(queue))
        return True

    monkeypatch.setattr(heartbeat, "_beat", slow_beat)

    async def stopped_in_a_beat() -> None:
        running = asyncio.create_task(heartbeat.run())
        await until(begun.is_set, "the first beat")
        running.cancel()

    asyncio.run(stopped_in_a_beat())
    heartbeat.stop()
    assert len(ended[0]) == 1
    assert rows(queue) == []


def test_a_daemon_whose_row_is_gone_ends(queue, heartbeat):
    with queue.write() as tx:
        retire(tx, heartbeat.owner)
    with pytest.raises(LeaseLost, match="taken this one for dead"):
        asyncio.run(asyncio.wait_for(heartbeat.run(), PATIENCE_SECONDS))


def test_a_queue_that_cannot_be_written_is_reported_once_and_ends_no_daemon(
    queue, heartbeat, monkeypatch, caplog
):
    away = queue.path.with_suffix(".away")
    tries: list[int] = []
    beat = heartbeat._beat

    def trying() -> bool:
        tries.append(1)
        return beat()

    async def several_tries() -> None:
        enough = len(tries) + 4
        await until(lambda: len(tries) >= enough, "four more tries")

    async def two_troubles() -> None:
        running = asyncio.create_task(heartbeat.run())
        for _ in range(2):
            queue.path.rename(away)
            await several_tries()
            away.rename(queue.path)
            before = rows(queue)[0].seen
            await several_tries()
            assert rows(queue)[0].seen > before
        assert not running.done()
        running.cancel()

    monkeypatch.setattr(heartbeat, "_beat", trying)
    with caplog.at_level(logging.INFO, "maildrop.daemon"):
        asyncio.run(two_troubles())
    assert [each.levelname for each in caplog.records] == ["ERROR", "INFO"] * 2


def test_a_daemon_that_cannot_take_over_from_another_keeps_its_own_lease(
    queue, heartbeat, monkeypatch, caplog
):
    def kept_from_it(tx, now) -> None:
        raise QueueError("the queue", "another transaction kept a lock for 20 s")

    monkeypatch.setattr(heartbeat, "_take_over", kept_from_it)

    async def some_beats() -> None:
        running = asyncio.create_task(heartbeat.run())
        leases = {rows(queue)[0].lease_until}

        def another() -> int:
            leases.add(rows(queue)[0].lease_until)
            return len(leases)

        await until(lambda: another() > 3, "three more leases")
        running.cancel()

    asyncio.run(some_beats())
    (told,) = caplog.records
    assert "kept a lock for 20 s; mail of daemons that are gone waits" in told.message


@pytest.mark.parametrize("locked", [False, True])
def test_a_daemon_that_cannot_take_over_twice_in_a_row_says_so(
    heartbeat, monkeypatch, caplog, locked
):
    """Once in each outage; a single failure may be a short lock."""
    tries = iter(["fails", "", "fails", "fails", "fails", "", "fails", "fails"])

    def take_over(tx, now) -> bool:
        fails = bool(next(tries))
        if fails and not locked:
            raise QueueError("the queue", "it is away")
        return not fails

    monkeypatch.setattr(heartbeat, "_take_over", take_over)
    told = []
    for _ in range(8):
        heartbeat._try_to_take_over()
        told.append(len(caplog.records))
    assert told == [0, 0, 0, 1, 1, 1, 1, 2]


def test_the_row_goes_with_the_daemon(queue, heartbeat):
    heartbeat.stop()
    assert rows(queue) == []
