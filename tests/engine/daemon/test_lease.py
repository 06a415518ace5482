"""How long a daemon may be sure of what it has claimed."""

from __future__ import annotations

import asyncio
import math
import time

import pytest
from waiting import PATIENCE_SECONDS, until

from collective.maildrophost.engine.daemon import heartbeat as module
from collective.maildrophost.engine.daemon import lease as lease_module
from collective.maildrophost.engine.daemon.heartbeat import Heartbeat
from collective.maildrophost.engine.daemon.lease import Lease, sleepless

SECONDS = 50.0
DAY = 86400.0


def told(*steps, seconds: float = SECONDS) -> list[str]:
    """What is said of a lease that meets these steps, each with the moment."""
    said: list[str] = []

    async def story() -> None:
        lease = Lease(
            seconds, lambda: said.append("doubted"), lambda: said.append("certain")
        )
        for step in steps:
            step(lease, lease.now())
            for _ in range(3):  # what is due by now is done
                await asyncio.sleep(0)

    asyncio.run(story())
    return said


def renewed(lease: Lease, now: float) -> None:
    lease.renewed(now)


def renewed_slowly(lease: Lease, now: float) -> None:
    """The queue has answered after so long that nobody can be sure any more."""
    lease.renewed(now - SECONDS)


def renewed_just_in_time(lease: Lease, now: float) -> None:
    lease.renewed(now - SECONDS + 10.0)


def ended(lease: Lease, now: float) -> None:
    lease.end()


@pytest.mark.parametrize(
    ("steps", "said"),
    [
        ((renewed, renewed), []),
        ((renewed_just_in_time,), []),
        ((renewed_slowly,), ["doubted"]),
        ((renewed_slowly, renewed), ["doubted", "certain"]),
        ((renewed_slowly, renewed, renewed), ["doubted", "certain"]),
        ((renewed_slowly, ended), ["doubted"]),
    ],
)
def test_a_lease_runs_from_the_beginning_of_its_renewal(steps, said):
    assert told(*steps) == said


def test_an_old_renewal_no_longer_counts():
    async def story() -> None:
        ended_here: list[str] = []
        lease = Lease(SECONDS, lambda: ended_here.append("doubted"), lambda: None)
        now = lease.now()
        for last in (lambda: lease.renewed(now), lease.end):
            lease.renewed(now - DAY)
            last()
            for _ in range(3):
                await asyncio.sleep(0)
        assert ended_here == []

    asyncio.run(story())


def test_a_lease_that_cannot_end_is_never_doubted():
    assert told(renewed_slowly, seconds=math.inf) == []


def test_the_time_for_which_the_machine_sleeps_counts(monkeypatch):
    """For the others it has gone on; the loop's timers stand still meanwhile."""
    monkeypatch.setattr(lease_module, "LOOK_SECONDS", 0.01)

    async def story() -> None:
        moment, doubted = [DAY], asyncio.Event()
        lease = Lease(SECONDS, doubted.set, lambda: None, lambda: moment[0])
        lease.renewed(lease.now())
        moment[0] += SECONDS - 1
        await asyncio.sleep(0.1)
        assert not doubted.is_set()
        moment[0] += 1
        await asyncio.wait_for(doubted.wait(), PATIENCE_SECONDS)

    asyncio.run(story())


@pytest.mark.skipif(not hasattr(time, "CLOCK_BOOTTIME"), reason="there is none")
def test_the_clock_of_a_lease_is_the_one_that_no_sleep_stops(monkeypatch):
    monkeypatch.setattr(time, "clock_gettime", lambda clock: clock)
    assert sleepless() == time.CLOCK_BOOTTIME


def beating(heartbeat: Heartbeat, enough, *told) -> None:
    async def story() -> None:
        running = asyncio.create_task(heartbeat.run(*told))
        await until(enough, "enough beats")
        assert not running.done()
        running.cancel()

    asyncio.run(story())


def test_the_time_that_the_queue_takes_is_not_added_to_the_lease(
    heartbeat, monkeypatch
):
    """Another daemon counts from when the queue had it, which may be the beginning."""
    began: list[float] = []
    asked: list[float] = []
    renew, beat = Lease.renewed, heartbeat._beat

    def renewing(lease, moment):
        began.append(moment)
        renew(lease, moment)

    def asking():
        asked.append(sleepless())
        return beat()

    monkeypatch.setattr(Lease, "renewed", renewing)
    monkeypatch.setattr(heartbeat, "_beat", asking)
    beating(heartbeat, lambda: len(began) > 3)
    # The first one is that of the start.
    assert all(lease <= queue for lease, queue in zip(began[1:], asked, strict=False))


def test_the_lease_on_a_queue_that_is_not_shared_never_ends(
    heartbeat, queue, monkeypatch
):
    """Nobody else could take over, and the verdicts that wait would be lost."""
    monkeypatch.setattr(module, "LEASE_SECONDS", 0.0)
    queue.path.rename(queue.path.with_suffix(".away"))
    tries: list[int] = []
    beat = heartbeat._beat

    def trying():
        tries.append(1)
        return beat()

    monkeypatch.setattr(heartbeat, "_beat", trying)
    doubts: list[str] = []
    beating(heartbeat, lambda: len(tries) > 3, lambda: doubts.append("doubted"))
    assert doubts == []


def test_a_lease_counts_from_the_first_heartbeat(heartbeat, queue, monkeypatch):
    """Another daemon counts from then, however long the rest of the start takes."""
    doubted: list[str] = []
    clock = time.clock_gettime
    monkeypatch.setattr(queue, "shared", True)
    monkeypatch.setattr(module, "RENEW_SECONDS", DAY)
    monkeypatch.setattr(module, "LEASE_SECONDS", DAY)
    monkeypatch.setattr(time, "clock_gettime", lambda which: clock(which) + DAY)
    beating(heartbeat, lambda: doubted, lambda: doubted.append("doubted"))
