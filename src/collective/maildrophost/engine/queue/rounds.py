"""When a message of several SMTP transactions became due for the first of them."""

# Whoever is deferred in one of them waits until the others were tried, too, and has the
# same turn as they have. What moves `due` amid that (an outage of the relay, large
# mail) does not give him another one.

from __future__ import annotations

from sqlalchemy import bindparam, func, select

from . import tables
from .statement import Statement
from .states import RecipientState
from .store import Transaction

attempt, recipient = tables.attempt, tables.recipient

_of_this = attempt.c.message_id == bindparam("key")
_newest = (
    # One look at the end of the message's part of the key.
    select(attempt.c.time)
    .where(_of_this)
    .order_by(attempt.c.number.desc())
    .limit(1)
    .scalar_subquery()
)
_last_tries = (
    select(func.max(attempt.c.time).label("time"))
    .join_from(
        attempt,
        recipient,
        (recipient.c.message_id == attempt.c.message_id)
        & (recipient.c.position == attempt.c.position),
    )
    .where(
        _of_this,
        recipient.c.state == RecipientState.DEFERRED.value,
        # A round seldom is interrupted: only then all its attempts are read.
        _newest < bindparam("due"),
    )
    .group_by(attempt.c.position)
    .subquery()
)
_DEFERRED_SINCE = Statement(select(func.min(_last_tries.c.time)))


def round_began(tx: Transaction, key: int, due: float) -> float:
    """`due`, or when the first of those who wait for the others was tried before that.

    For a message that has both kinds of recipients. Seconds since the epoch.
    """
    ((deferred_since,),) = _DEFERRED_SINCE.rows(tx, key=key, due=due)
    return due if deferred_since is None else min(due, float(deferred_since))
