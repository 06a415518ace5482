"""New mail from machines whose clock is ahead of the daemon's."""

# Rules of this file:
# - Daemons look at each new message a few times at most, and at nothing else: where no
#   clock is fast, that is one run over the newest ids, whatever else is queued.

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import case, select, update

from . import tables
from .database import moment, wake
from .putoff import was_put_off
from .setback import AT_ONCE, TOLERANCE_SECONDS, unscheduled
from .standing import standing_of
from .store import Queue, Transaction

message, schedule = tables.message, tables.schedule

LOOKED_AT_ONCE = 10_000
"""Ids in one look, which may be as many messages."""


@dataclass(frozen=True)
class FromAhead:
    """How many messages were queued in the future, and by how many seconds at most."""

    messages: int
    seconds: float


def pull_back_new(queue: Queue, now: float, after: int, up_to: int) -> FromAhead:
    """Make due what was queued in the future with an id above `after`, up to `up_to`.

    That is mail of a process whose clock is ahead of the one that says `now`; what is
    in flight, held or prepared counts, too. What was tried, or is to be sent at a
    certain time, keeps its time. Times only ever become earlier, so that daemons whose
    clocks differ agree in the end. Lifetimes begin as `pull_back` has them begin.
    """
    messages, seconds = 0, 0.0
    for start in range(after, up_to, LOOKED_AT_ONCE):
        with queue.read() as tx:
            found = _of_the_future(tx, now, start, min(start + LOOKED_AT_ONCE, up_to))
        keys = list(found)
        for first in range(0, len(keys), AT_ONCE):
            with queue.write() as tx:
                begins = max(now, moment(tx, now))
                some = keys[first : first + AT_ONCE]
                messages += _make_due(tx, some, now, begins)
        seconds = max([seconds, *(created - now for created in found.values())])
    return FromAhead(messages, seconds)


def _of_the_future(
    tx: Transaction, now: float, after: int, up_to: int
) -> dict[int, float]:
    """The times of creation that are ahead, by id; most may have been sent by now."""
    found = tx.execute(
        select(message.c.id, message.c.created)
        .where(
            message.c.id > after,
            message.c.id <= up_to,
            message.c.created > now + TOLERANCE_SECONDS,
        )
        .order_by(message.c.id)
    )
    return {row.id: row.created for row in found}


def _make_due(tx: Transaction, keys: Sequence[int], now: float, begins: float) -> int:
    standing_of(tx, keys)  # Locked in the order in which all others lock them.
    created = select(message.c.created).where(message.c.id == schedule.c.message_id)
    # What another daemon has tried meanwhile waits for its retry, or has ended.
    changed = tx.execute(
        update(schedule)
        .where(
            schedule.c.message_id.in_(keys),
            schedule.c.attempts == 0,
            schedule.c.due > now,
            unscheduled(created.scalar_subquery(), begins),
            ~was_put_off(now),
        )
        .values(
            due=now,
            since=case((schedule.c.since > begins, begins), else_=schedule.c.since),
        )
    )
    if changed.rowcount:
        # Daemons that looked at them meanwhile have found them locked.
        wake(tx)
    return changed.rowcount
