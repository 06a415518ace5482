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


def test_a_connection_that_dies_ends_delivery_and_its_mail_stays(tmp_path, monkeypatch):
    path = tmp_path / "maildrop.conf"
    path.write_text(f"MAILDROP_HOME='{tmp_path}'\nMAILDROP_INTERVAL=3600\n")
    configuration = load(path, {})
    queue = open_queue(configuration.queue)
    now = time.time()
    with queue.write() as tx:
        (id,) = enqueue(
            tx, [compose(b"x: y\n\nz", "a@x.org", ["b@x.org"], now=now)], now
        )

    async def attempt(self, claim):
        raise Died

    monkeypatch.setattr(Worker, "_attempt", attempt)

    async def deliver() -> None:
        route = Route.of(configuration)
        delivery = Delivery(configuration, route, queue, "me", writes_to(queue))
        await asyncio.wait_for(delivery.run(), PATIENCE_SECONDS)

    with pytest.raises(Died):
        asyncio.run(deliver())
    with queue.read() as tx:
        assert [each.id for each in list_messages(tx)] == [id]
    queue.close()
