"""Delivery ends as a whole: no part of it dies unnoticed."""

from __future__ import annotations

import asyncio
import time

import pytest
from engine.delivery.writing import writes_to
from waiting import PATIENCE_SECONDS

from collective.maildrophost.engine.config import load
from collective.maildrophost.engine.delivery import Delivery, Route
from collective.maildrophost.engine.delivery.worker import Worker
from collective.maildrophost.engine.message import compose
from collective.maildrophost.engine.queue import enqueue, list_messages, open_queue


class Died(Exception):
    """A fault in the software, not in a message."""


@pytest.fixture
def configuration(tmp_path):
    path = tmp_path / "maildrop.conf"
    path.write_text(f"MAILDROP_HOME='{tmp_path}'\nMAILDROP_INTERVAL=3600\n")
    return load(path, {})


@pytest.fixture
def queue(configuration):
    queue = open_queue(configuration.queue)
    yield queue
    queue.close()


def delivery_of(queue, configuration):
    route = Route.of(configuration)
    return Delivery(configuration, route, queue, "me", writes_to(queue))


def test_a_connection_that_dies_ends_delivery_and_its_mail_stays(
    queue, configuration, monkeypatch
):
    now = time.time()
    with queue.write() as tx:
        (id,) = enqueue(
            tx, [compose(b"x: y\n\nz", "a@x.org", ["b@x.org"], now=now)], now
        )

    async def attempt(self, claim):
        raise Died

    monkeypatch.setattr(Worker, "_attempt", attempt)

    async def deliver() -> None:
        running = delivery_of(queue, configuration).run()
        await asyncio.wait_for(running, PATIENCE_SECONDS)

    with pytest.raises(Died):
        asyncio.run(deliver())
    with queue.read() as tx:
        assert [each.id for each in list_messages(tx)] == [id]


def test_whatever_ends_delivery_tells_each_connection_to_end(
    queue, configuration, monkeypatch
):
    """One that is just broken off would take a cancellation alone for that."""
    told = []
    monkeypatch.setattr(Worker, "end", lambda self: told.append(self))

    async def cancelled() -> None:
        delivery = delivery_of(queue, configuration)
        running = asyncio.create_task(delivery.run())
        await asyncio.sleep(0)
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
        assert told == delivery._workers

    asyncio.run(cancelled())
