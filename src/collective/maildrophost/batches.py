"""The prepared batches of a queue, for a person to decide about."""

from __future__ import annotations

import time
from dataclasses import dataclass

from sqlalchemy import func, select

from collective.maildrophost.engine.doorbell import ring
from collective.maildrophost.engine.queue import (
    Queue,
    State,
    Transaction,
    discard,
    doorbells,
    of_a_transaction,
    release,
    tables,
)


@dataclass(frozen=True)
class PreparedBatch:
    """Mail whose transaction has not ended, as far as the queue knows.

    `created` is in seconds since the epoch; `origin` names object, host and process.
    """

    batch: str
    mails: int
    created: float
    origin: str


def prepared_batches(tx: Transaction) -> list[PreparedBatch]:
    """Every prepared batch, the oldest first."""
    schedule, message = tables.schedule, tables.message
    created = func.min(message.c.created)
    rows = tx.execute(
        select(schedule.c.batch, func.count(), created, func.min(message.c.origin))
        .join_from(schedule, message)
        .where(schedule.c.state == State.PREPARED.value, of_a_transaction())
        .group_by(schedule.c.batch)
        .order_by(created)
    )
    return [PreparedBatch(*row) for row in rows]


def release_batch(queue: Queue, batch: str) -> int:
    """Let the batch go, wake the daemons; returns how many mails went."""
    now = time.time()
    with queue.write() as tx:
        count = release(tx, batch, now)
        bells = doorbells(tx)
    ring(bells)
    return count


def discard_batch(queue: Queue, batch: str) -> int:
    """Delete the batch; returns how many mails went."""
    with queue.write() as tx:
        return discard(tx, batch)
