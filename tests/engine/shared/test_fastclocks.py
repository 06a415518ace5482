"""Machines whose clocks are ahead of the daemon's: no mail waits for their time."""

from __future__ import annotations

import asyncio
import threading
import time
from contextlib import ExitStack, contextmanager

import pytest
from sqlalchemy import select, update
from waiting import wait_until

from collective.maildrophost.engine import actions
from collective.maildrophost.engine.daemon import fastclocks
from collective.maildrophost.engine.daemon.fastclocks import FastClocks
from collective.maildrophost.engine.queue import (
    State,
    enqueue,
    get_message,
    pull_back,
    pull_back_new,
    tables,
)

HOUR = 3600.0
LONG = 30.0


@pytest.fixture(autouse=True)
def impatient(monkeypatch):
    monkeypatch.setattr(fastclocks, "LOOK_SECONDS", 0.02)
    monkeypatch.setattr(fastclocks, "AGAIN_SECONDS", 0.3)


@contextmanager
def looking(queue):
    """While a daemon looks at what is new."""
    clocks = FastClocks(queue, 0.05, lambda: None)
    loop = asyncio.new_event_loop()
    looks = loop.create_task(clocks.run())

    def run():
        with pytest.raises(asyncio.CancelledError):
            loop.run_until_complete(looks)

    thread = threading.Thread(target=run)
    thread.start()
    try:
        yield
    finally:
        loop.call_soon_threadsafe(looks.cancel)
        thread.join()
        loop.run_until_complete(loop.shutdown_default_executor())
        loop.close()


def queue_ahead(tx, make_mail):
    (id,) = enqueue(tx, [make_mail()], time.time() + HOUR)
    return id


def wait_until_due(queue, id):
    def is_due():
        with queue.read() as tx:
            return get_message(tx, id).due <= time.time()

    wait_until(is_due, LONG, "that it is due")


def test_a_slow_transaction_commits_after_newer_ones(queue, make_mail):
    with looking(queue):
        with queue.write() as slow:
            older = queue_ahead(slow, make_mail)
            with queue.write() as tx:
                newer = queue_ahead(tx, make_mail)
            assert int(older) < int(newer)
            wait_until_due(queue, newer)
        wait_until_due(queue, older)


def test_a_transaction_is_slow_while_the_daemon_starts(queue, make_mail):
    with ExitStack() as daemon:
        with queue.write() as slow:
            older = queue_ahead(slow, make_mail)
            with queue.write() as tx:
                enqueue(tx, [make_mail()], time.time())
            daemon.enter_context(looking(queue))
        wait_until_due(queue, older)


@pytest.mark.parametrize(
    "pulls",
    [
        lambda queue, now: pull_back(queue, now, HOUR) == 1,
        lambda queue, now: pull_back_new(queue, now, 0, 1000).messages == 1,
    ],
)
def test_a_daemon_whose_clock_is_a_week_behind_makes_no_mail_a_week_old(
    queue, make_mail, pulls
):
    """As after a snapshot was played back: the server knows what time it is."""
    began = time.time()
    with queue.write() as tx:
        enqueue(tx, [make_mail()], began)
    assert pulls(queue, began - 168 * HOUR)
    with queue.read() as tx:
        (row,) = tx.execute(select(tables.schedule.c.due, tables.schedule.c.since))
    assert row.due == began - 168 * HOUR
    assert row.since == pytest.approx(began, abs=60)


@pytest.mark.parametrize("ahead", [HOUR, -HOUR])
def test_a_retry_is_due_at_once_by_every_clock(queue, make_mail, monkeypatch, ahead):
    began = time.time()
    with queue.write() as tx:
        (id,) = enqueue(tx, [make_mail()], began)
        tx.execute(update(tables.schedule).values(state=State.DEFERRED.value))
        tx.execute(update(tables.schedule).values(due=began + HOUR / 2))
    with monkeypatch.context() as elsewhere:
        elsewhere.setattr(actions.time, "time", lambda: began + ahead)
        assert actions.act(queue, "retry", [id]).changed == (id,)
    with queue.read() as tx:
        assert get_message(tx, id).due <= min(began + ahead, time.time())
