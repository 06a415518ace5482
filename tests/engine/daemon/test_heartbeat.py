"""A daemon keeps its lease, and leaves a daemon alone that keeps its own."""

from __future__ import annotations

import asyncio
import logging
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from waiting import PATIENCE_SECONDS

from collective.maildrophost.engine.daemon import heartbeat as module
from collective.maildrophost.engine.daemon.heartbeat import Heartbeat, LeaseLost
from collective.maildrophost.engine.daemon.sightings import Sightings
from collective.maildrophost.engine.identity import process_identity
from collective.maildrophost.engine.large import LARGE_OCTETS
from collective.maildrophost.engine.queue import (
    Daemon,
    QueueError,
    State,
    all_daemons,
    claim,
    enqueue,
    get_message,
    recover,
    register,
    retire,
)


def rows(queue):
    with queue.read() as tx:
        return all_daemons(tx)


def test_the_lease_is_renewed(queue, heartbeat):
    (first,) = rows(queue)

    async def until_seen() -> None:
        task = asyncio.create_task(heartbeat.run())
        while rows(queue)[0].lease_until == first.lease_until:
            await asyncio.sleep(0.01)
        task.cancel()

    asyncio.run(asyncio.wait_for(until_seen(), PATIENCE_SECONDS))
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
            while rows(queue)[0].seen == first.seen:
                await asyncio.sleep(0.01)
        finally:
            answered.set()
            running.cancel()

    asyncio.run(asyncio.wait_for(until_seen(), PATIENCE_SECONDS))


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
        while not begun.is_set():
            await asyncio.sleep(0.01)
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


def test_a_queue_that_cannot_be_written_is_told_once_and_ends_no_daemon(
    queue, heartbeat, monkeypatch, caplog
):
    away = queue.path.with_suffix(".away")
    tries: list[int] = []
    beat = heartbeat._beat

    def trying() -> bool:
        tries.append(1)
        return beat()

    async def several_tries() -> None:
        until = len(tries) + 4
        while len(tries) < until:
            await asyncio.sleep(0.01)

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
        asyncio.run(asyncio.wait_for(two_troubles(), PATIENCE_SECONDS))
    assert [each.levelname for each in caplog.records] == ["ERROR", "INFO"] * 2


def test_who_cannot_take_over_from_another_keeps_its_own_lease(
    queue, heartbeat, monkeypatch, caplog
):
    def kept_from_it(tx, now) -> None:
        raise QueueError("the queue", "another transaction kept a lock for 20 s")

    monkeypatch.setattr(heartbeat, "_take_over", kept_from_it)

    async def some_beats() -> None:
        running = asyncio.create_task(heartbeat.run())
        for _ in range(3):
            before = rows(queue)[0].lease_until
            while rows(queue)[0].lease_until == before:
                await asyncio.sleep(0.01)
        running.cancel()

    asyncio.run(asyncio.wait_for(some_beats(), PATIENCE_SECONDS))
    (told,) = caplog.records
    assert "kept a lock for 20 s; mail of daemons that are gone waits" in told.message


def test_the_row_goes_with_the_daemon(queue, heartbeat):
    heartbeat.stop()
    assert rows(queue) == []


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


def daemon(process: str = "", seen: float = 100.0, owner: str = "it") -> Daemon:
    return Daemon(owner, "host", 1, process, "/x", "relay:25", 0.0, seen, seen + 60)


def test_a_silence_is_measured_by_a_clock_that_never_jumps():
    clock = Clock()
    sightings = Sightings(60.0, clock)
    days = 86400.0 * 3
    assert sightings.gone([daemon()], 101.0) == []
    # All leases seem to be over now; the daemon had no time to renew its own.
    assert sightings.gone([daemon()], 101.0 + days) == []
    clock.now += 59
    assert sightings.gone([daemon()], 101.0 + days) == []
    clock.now += 1
    assert sightings.gone([daemon()], 101.0) == [daemon()]


def test_a_heartbeat_ends_a_silence():
    clock = Clock()
    sightings = Sightings(60.0, clock)
    for beat in range(10):
        assert sightings.gone([daemon(seen=float(beat))], 1e9 * (beat % 2)) == []
        clock.now += 59


def test_a_time_in_which_nobody_could_be_seen_is_no_silence():
    clock = Clock()
    sightings = Sightings(60.0, clock)
    assert sightings.gone([daemon()], 101.0) == []
    clock.now += 50
    assert sightings.gone([daemon()], 101.0) == []
    clock.now += 600
    sightings.was_blind()
    assert sightings.gone([daemon()], 101.0) == []
    clock.now += 9
    assert sightings.gone([daemon()], 101.0) == []
    clock.now += 1
    assert sightings.gone([daemon()], 101.0) == [daemon()]


def test_after_an_outage_of_the_queue_the_first_to_beat_takes_nobody_for_dead(
    queue, heartbeat, caplog
):
    """The others could not write, either: they have verdicts that wait for that."""
    clock = Clock()
    heartbeat._sightings = Sightings(60.0, clock)
    Heartbeat(queue, "relay:25", "/nowhere").start()
    away = queue.path.with_suffix(".away")

    async def through_an_outage() -> None:
        running = asyncio.create_task(heartbeat.run())
        seen = await next_beat()
        queue.path.rename(away)
        while "no heartbeat until" not in caplog.text:
            await asyncio.sleep(0.01)
        clock.now += 600
        away.rename(queue.path)
        while await next_beat() == seen:
            pass
        assert len(rows(queue)) == 2
        running.cancel()

    async def next_beat() -> float:
        before = beaten()
        while beaten() == before:
            await asyncio.sleep(0.01)
        return beaten()

    def beaten() -> float:
        return next(each.seen for each in rows(queue) if each.owner == heartbeat.owner)

    asyncio.run(asyncio.wait_for(through_an_outage(), PATIENCE_SECONDS))


def test_at_first_sight_the_lease_counts_where_nothing_else_can_be_known():
    assert Sightings(60.0).gone([daemon("another-boot pid:[1] 1 1")], 161.0) == [
        daemon("another-boot pid:[1] 1 1")
    ]
    assert Sightings(60.0).gone([daemon("another-boot pid:[1] 1 1")], 159.0) == []
    running = daemon(process_identity())
    assert Sightings(60.0).gone([running], 161.0) == []


@pytest.mark.parametrize(("up", "left"), [(59.0, 2), (61.0, 1)])
def test_leases_that_ended_while_the_server_was_down_prove_nothing(
    queue, monkeypatch, up, left
):
    """Whose server and machine start together is there before all the others."""
    monkeypatch.setattr(module, "up_since", lambda tx: time.time() - up)
    before = time.time() - 120
    with queue.write() as tx:
        register(tx, daemon("another-boot pid:[1] 1 1", seen=before))
    Heartbeat(queue, "relay:25", "/nowhere").start()
    assert len(rows(queue)) == left


def test_a_process_that_runs_but_is_silent_is_gone_in_the_end():
    clock = Clock()
    sightings = Sightings(60.0, clock)
    hangs = daemon(process_identity())
    assert sightings.gone([hangs], 161.0) == []
    clock.now += 60
    assert sightings.gone([hangs], 161.0) == [hangs]


def test_a_living_daemon_is_left_alone_by_the_next(queue, heartbeat):
    Heartbeat(queue, "relay:25", "/nowhere").start()
    assert len(rows(queue)) == 2
