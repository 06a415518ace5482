"""When a message of several SMTP transactions became due for the first of them."""

# Whoever is deferred in one of them waits until the others were tried, too, and has the
# same turn as they have. What moves `due` amid that (an outage of the relay, large
# mail) does not give him another one.

from __future__ import annotations

from typing import TypeGuard

from sqlalchemy import bindparam, func, select

from . import tables
from .statement import Statement
from .states import RecipientState
from .store import Transaction

attempt, recipient = tables.attempt, tables.recipient

_of_this = attempt.c.message_id == bindparam("key")
_NEWEST = Statement(
    # One look at the end of the message's part of the key.
    select(attempt.c.time).where(_of_this).order_by(attempt.c.number.desc()).limit(1)
)
# Two statements, and no join: a server that knows nothing yet of a newsletter's rows
# may take minutes for one, and each claim would fail.
_LAST_TRIES = Statement(
    select(attempt.c.position, func.max(attempt.c.time))
    .where(_of_this)
    .group_by(attempt.c.position)
)
_DEFERRED = Statement(
    select(recipient.c.position).where(
        recipient.c.message_id == bindparam("key"),
        recipient.c.state == RecipientState.DEFERRED.value,
    )
)


def round_began(tx: Transaction, key: int, due: float) -> float:
    """`due`, or when the first of those who wait for the others was tried before that.

    For a message that has both kinds of recipients. Seconds since the epoch.
    """
    newest = [time for (time,) in _NEWEST.rows(tx, key=key) if _is_time(time)]
    # A round seldom is interrupted: only then all attempts are read. SQLite would go
    # through them to ask this of each in one statement.
    if not newest or newest[0] >= due:
        return due
    last_tries: dict[int, object] = dict(_LAST_TRIES.rows(tx, key=key))
    deferred = [position for (position,) in _DEFERRED.rows(tx, key=key)]
    times = [last_tries.get(each) for each in deferred]
    return min([due, *(each for each in times if _is_time(each))])


def _is_time(value: object) -> TypeGuard[float]:
    """Whether it can be one; in a damaged file there may be anything."""
    return isinstance(value, float)
