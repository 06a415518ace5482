"""A clock that is set while the queue is out of order: made up for afterwards."""

from __future__ import annotations

import asyncio
import logging
from types import SimpleNamespace

import pytest
from waiting import until

from collective.maildrophost.engine.daemon import clockwatch
from collective.maildrophost.engine.daemon.clockwatch import ClockWatch
from collective.maildrophost.engine.queue import QueueError

DAY = 86400.0
LONGEST_WAIT = 4000.0


class Machine:
    """Its clock, and a queue that can be out of order."""

    def __init__(self) -> None:
        self.set_by = 0.0
        self.up = 1000.0
        self.broken = False
        self.looks = 0
        self.asked: list[float] = []
        self.woken = 0

    def time(self) -> float:
        return 1e9 + self.up + self.set_by

    def monotonic(self) -> float:
        """Once in each look, and in nothing else."""
        self.looks += 1
        return self.up

    def pull_back(self, queue, now: float, longest_wait: float) -> int:
        assert longest_wait == LONGEST_WAIT
        self.asked.append(now)
        if self.broken:
            raise QueueError("the queue", "is locked")
        return 1

    def wake(self) -> None:
        self.woken += 1


@pytest.fixture
def machine(monkeypatch):
    machine = Machine()
    seen = SimpleNamespace(time=machine.time, monotonic=machine.monotonic)
    monkeypatch.setattr(clockwatch, "time", seen)
    monkeypatch.setattr(clockwatch, "pull_back", machine.pull_back)
    monkeypatch.setattr(clockwatch, "LOOK_SECONDS", 0.001)
    return machine


def watched(machine, story) -> None:
    """Run `story` while a daemon watches; its argument waits for so many looks."""

    async def looks(count: int = 3) -> None:
        enough = machine.looks + count
        await until(lambda: machine.looks >= enough, f"{count} more looks")

    async def watch() -> None:
        watching = asyncio.create_task(
            ClockWatch(None, LONGEST_WAIT, machine.wake).run()
        )
        await looks()
        machine.asked.clear()
        machine.woken = 0
        await story(looks)
        assert not watching.done()
        watching.cancel()

    asyncio.run(watch())


def test_small_corrections_of_the_clock_are_ignored(machine):
    async def story(looks):
        for step in (1.9, 0.0, -1.9, -3.8):
            machine.set_by = step
            await looks()

    watched(machine, story)
    assert machine.asked == []
    assert machine.woken == 0


def test_a_clock_that_is_set_back_is_made_up_for_once(machine):
    async def story(looks):
        machine.set_by = -DAY
        await looks()

    watched(machine, story)
    assert len(machine.asked) == 1
    assert machine.woken == 1


def test_a_clock_that_is_set_forward_wakes_the_daemon(machine):
    async def story(looks):
        machine.set_by = DAY
        await looks()

    watched(machine, story)
    assert machine.asked == []
    assert machine.woken == 1


def test_a_queue_that_is_out_of_order_is_asked_until_no_mail_waits_for_the_old_time(
    machine, caplog
):
    async def story(looks):
        for _ in range(2):
            machine.broken = True
            machine.set_by -= DAY
            await looks()
            assert machine.woken == 0, "nothing is due yet"
            machine.broken = False
            await looks()
            assert machine.woken == 1
            tries = len(machine.asked)
            assert tries >= 3
            await looks()
            assert len(machine.asked) == tries, "once it is done it is done"
            machine.woken = 0
            machine.asked.clear()

    with caplog.at_level(logging.ERROR, "maildrop.daemon"):
        watched(machine, story)
    refused = [each for each in caplog.records if "clock's old time" in each.message]
    assert len(refused) == 2, "each trouble is told of once"


def test_a_start_with_a_shorter_wait_is_not_reported_as_a_clock_that_was_set(
    machine, caplog
):
    """Nor is mail that another daemon of the queue has deferred, with a longer one."""

    async def story(looks):
        await looks()

    with caplog.at_level(logging.WARNING, "maildrop.daemon"):
        watched(machine, story)
    (told,) = caplog.records
    assert "or mail was deferred with a longer MAILDROP_RETRY_MAX: 1 " in told.message
