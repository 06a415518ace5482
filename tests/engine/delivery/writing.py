"""The ledger's transactions in a thread, where a test looks into them."""

from __future__ import annotations

import asyncio

from collective.maildrophost.engine.delivery.books import (
    Answer,
    Request,
    write_or_refuse,
)
from collective.maildrophost.engine.delivery.ledger import Write
from collective.maildrophost.engine.queue import Queue


def writes_to(queue: Queue) -> Write:
    """What a bookkeeper does, without a process of its own."""

    async def written(request: Request) -> Answer:
        return await asyncio.to_thread(write_or_refuse, queue, request)

    return written
