"""A daemon is gone when it has ended or is silent, not when a clock says so."""

from __future__ import annotations

import asyncio
import time

import pytest
from daemons import daemon_seen, rows
from engine.handclock import HandClock
from waiting import until

from collective.maildrophost.engine.daemon import heartbeat as module
from collective.maildrophost.engine.daemon.heartbeat import Heartbeat
from collective.maildrophost.engine.daemon.sightings import Sightings
from collective.maildrophost.engine.queue import Daemon, QueueError, register
from collective.maildrophost.engine.system.identity import process_identity


def daemon(process: str = "", seen: float = 100.0) -> Daemon:
    return daemon_seen(seen, process=process)


def test_a_silence_is_measured_by_a_clock_that_never_jumps():
    clock = HandClock()
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
    clock = HandClock()
    sightings = Sightings(60.0, clock)
    for beat in range(10):
        assert sightings.gone([daemon(seen=float(beat))], 1e9 * (beat % 2)) == []
        clock.now += 59


def test_a_time_in_which_nobody_could_be_seen_does_not_count_as_silence():
    clock = HandClock()
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
    """The others could not write either, and have verdicts that wait for that."""
    clock = HandClock()
    heartbeat._sightings = Sightings(60.0, clock)
    Heartbeat(queue, "relay:25", "/nowhere").start()
    away = queue.path.with_suffix(".away")

    async def through_an_outage() -> None:
        running = asyncio.create_task(heartbeat.run())
        seen = await next_beat()
        queue.path.rename(away)
        await until(lambda: "no heartbeat until" in caplog.text, "the outage")
        clock.now += 600
        away.rename(queue.path)
        while await next_beat() == seen:
            pass
        assert len(rows(queue)) == 2
        running.cancel()

    async def next_beat() -> float:
        before = beaten()
        await until(lambda: beaten() != before, "another beat")
        return beaten()

    def beaten() -> float:
        return next(each.seen for each in rows(queue) if each.owner == heartbeat.owner)

    asyncio.run(through_an_outage())


@pytest.mark.parametrize("step", ["_beat", "_take_over"])
def test_a_step_that_fails_for_long_makes_nobody_silent(
    queue, heartbeat, monkeypatch, step
):
    """Others waited for the queue as long, and could not beat."""
    clock = HandClock()
    heartbeat._sightings = Sightings(60.0, clock)
    Heartbeat(queue, "relay:25", "/nowhere").start()
    do, tries = getattr(heartbeat, step), []

    def slow_once(*given):
        tries.append(1)
        if len(tries) == 3:  # The other one was seen by then.
            clock.now += 600
            raise QueueError("the queue", "no answer")
        return do(*given)

    async def until_after_it() -> None:
        running = asyncio.create_task(heartbeat.run())
        await until(lambda: len(tries) >= 6, "the tries after it")
        running.cancel()

    monkeypatch.setattr(heartbeat, step, slow_once)
    asyncio.run(until_after_it())
    assert len(rows(queue)) == 2


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
    """A daemon that starts together with the server is there before all others."""
    monkeypatch.setattr(module, "up_since", lambda tx: time.time() - up)
    before = time.time() - 120
    with queue.write() as tx:
        register(tx, daemon("another-boot pid:[1] 1 1", seen=before))
    Heartbeat(queue, "relay:25", "/nowhere").start()
    assert len(rows(queue)) == left


def test_a_process_that_runs_but_is_silent_is_gone_in_the_end():
    clock = HandClock()
    sightings = Sightings(60.0, clock)
    hangs = daemon(process_identity())
    assert sightings.gone([hangs], 161.0) == []
    clock.now += 60
    assert sightings.gone([hangs], 161.0) == [hangs]


def test_a_living_daemon_is_left_alone_by_the_next(queue, heartbeat):
    Heartbeat(queue, "relay:25", "/nowhere").start()
    assert len(rows(queue)) == 2
