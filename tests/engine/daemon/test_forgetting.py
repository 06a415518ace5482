"""What a daemon forgets and when it begins to; and that it goes on doing so."""

from __future__ import annotations

import asyncio
import sys
import time
from types import SimpleNamespace

import pytest
from sqlalchemy import func, insert, select
from waiting import until

from collective.maildrophost.engine.daemon import housekeeping as module
from collective.maildrophost.engine.daemon.housekeeping import Housekeeping
from collective.maildrophost.engine.queue import QueueError, prune, tables

OLD_KEYS = 5


@pytest.fixture
def keys(queue):
    """How many keys of dropped files are known; at first some that are old."""
    table = tables.taken_file
    long_ago = time.time() - 30 * 86400
    with queue.write() as tx:
        rows = [{"key": str(n), "taken": long_ago} for n in range(OLD_KEYS)]
        tx.execute(insert(table), rows)

    def count() -> int:
        with queue.read() as tx:
            return tx.execute(select(func.count()).select_from(table)).scalar_one()

    return count


@pytest.fixture
def house(queue, monkeypatch):
    """What keeps house for a daemon that has looked through its directories."""
    monkeypatch.setattr(module, "PAUSE_SECONDS", 0.0)
    monkeypatch.setattr(module, "PRUNE_SECONDS", 0.01)
    idle = SimpleNamespace(ledger=SimpleNamespace(in_flight=0))
    kept = SimpleNamespace(history_days=30, failed_days=0)
    scanner = SimpleNamespace(looked_through=True, scanned=asyncio.Event())
    return Housekeeping(kept, queue, scanner, idle)


def run(house, rounds) -> None:
    """Keep house for a round."""

    async def keeping() -> None:
        running = asyncio.create_task(house.run())
        await until(lambda: rounds, "a look for old records")
        assert not running.done()
        running.cancel()

    asyncio.run(keeping())


@pytest.fixture
def rounds(house, keys, monkeypatch):
    """How many keys were left each time that old records had been looked for."""
    found = []
    monkeypatch.setattr(module, "tidy", lambda queue: found.append(keys()))
    return found


def test_all_that_is_old_goes_in_one_round_some_at_a_time(house, rounds, monkeypatch):
    monkeypatch.setattr(module, "AT_ONCE", 2)
    monkeypatch.setattr(sys.modules[prune.__module__], "AT_ONCE", 2)
    house._scanner.scanned.set()
    run(house, rounds)
    assert rounds[0] == 0


def test_keys_stay_while_a_file_may_have_come_back(house, rounds):
    house._scanner.looked_through = False
    house._scanner.scanned.set()
    run(house, rounds)
    assert rounds[0] == OLD_KEYS


def test_the_file_is_made_no_smaller_while_mail_is_on_its_way(
    house, rounds, monkeypatch
):
    class Ledger:
        looks = 0

        @property
        def in_flight(self) -> int:
            self.looks += 1
            return max(0, 3 - self.looks)

    monkeypatch.setattr(module, "IN_FLIGHT_SECONDS", 0.0)
    ledger = house._delivery.ledger = Ledger()
    house._scanner.scanned.set()
    run(house, rounds)
    assert ledger.looks >= 3


def test_nothing_is_forgotten_before_the_directories_were_looked_at(house, keys):
    async def at_first() -> None:
        running = asyncio.create_task(house.run())
        await asyncio.sleep(0)
        assert not running.done()
        running.cancel()

    asyncio.run(at_first())
    assert keys() == OLD_KEYS


def test_a_queue_that_cannot_be_written_is_reported_and_tried_again(
    house, rounds, monkeypatch, caplog
):
    troubles = iter([QueueError("the queue", "it is full")])

    def prune_later(*given) -> int:
        for trouble in troubles:
            raise trouble
        return prune(*given)

    monkeypatch.setattr(module, "prune", prune_later)
    house._scanner.scanned.set()
    run(house, rounds)
    assert rounds[0] == 0
    (told,) = caplog.records
    assert told.message.endswith("it is full; old records stay for now")
