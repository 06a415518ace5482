"""What is forgotten of a queue that machines with clocks of their own share."""

from __future__ import annotations

import time
from types import SimpleNamespace

import pytest
from sqlalchemy import update

from collective.maildrophost.engine.daemon import housekeeping
from collective.maildrophost.engine.daemon.housekeeping import Housekeeping
from collective.maildrophost.engine.queue import State, enqueue, list_messages, tables

DAY = 86400.0


@pytest.fixture
def failed(queue, make_mail):
    """A message that failed today, another one of the week before."""
    now = time.time()
    schedule = tables.schedule
    with queue.write() as tx:
        new, old = enqueue(tx, [make_mail(), make_mail()], now)
        for id, ended in ((new, now), (old, now - 7 * DAY)):
            this = schedule.c.message_id == int(id)
            failed = {"state": State.FAILED.value, "due": ended}
            tx.execute(update(schedule).where(this).values(**failed))
    return new, old


def test_a_clock_that_is_ahead_lets_nobody_forget_what_is_new(
    queue, failed, monkeypatch
):
    ahead = SimpleNamespace(time=lambda: time.time() + 60 * DAY)
    monkeypatch.setattr(housekeeping, "time", ahead)
    kept = SimpleNamespace(history_days=30, failed_days=5)
    scanner = SimpleNamespace(looked_through=False)
    house = Housekeeping(kept, queue, scanner, None)
    assert house._prune_some() == 1
    with queue.read() as tx:
        assert [each.id for each in list_messages(tx)] == [failed[0]]
