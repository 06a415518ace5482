"""What a ledger hands in, and its transactions in a thread, where a test looks in."""

from __future__ import annotations

import asyncio

from collective.maildrophost.engine.delivery.books import (
    Answer,
    Request,
    write_or_refuse,
)
from collective.maildrophost.engine.delivery.ledger import Write
from collective.maildrophost.engine.queue import Claim, Queue, Settlement
from collective.maildrophost.engine.verdict import Verdict


def writes_to(queue: Queue) -> Write:
    """What a bookkeeper does, without a process of its own."""

    async def written(request: Request) -> Answer:
        return await asyncio.to_thread(write_or_refuse, queue, request)

    return written


def settled(
    claim: Claim, verdicts: tuple[tuple[int, Verdict], ...], now: float
) -> Settlement:
    """The end of an attempt by "me", at the time `now`."""
    return Settlement(
        claim.id,
        claim.created,
        claim.attempts,
        "me",
        now,
        "relay:25",
        verdicts,
        now,
        False,
    )
