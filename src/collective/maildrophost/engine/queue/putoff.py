"""Large mail for which there may be no memory: daemons had it when they were killed."""

# What fills the memory does so again when it comes back, and all mail with it. So other
# mail goes meanwhile, for as long again as it has been trying. Once proves nothing: the
# machine may have been restarted.

from __future__ import annotations

from sqlalchemy import (
    BindParameter,
    ColumnElement,
    Double,
    and_,
    bindparam,
    case,
    select,
    update,
)

from ..large import LARGE_OCTETS
from . import tables
from .due import octets_of
from .statement import Statement
from .states import State
from .store import Transaction

SHORTEST_SECONDS = 60.0
LONGEST_SECONDS = 3600.0

schedule = tables.schedule
_large = octets_of(schedule.c.message_id) > LARGE_OCTETS
_now: BindParameter[float] = bindparam("now", type_=Double())
_age = _now - schedule.c.since
_later = _now + case(
    (_age < SHORTEST_SECONDS, SHORTEST_SECONDS),
    (_age > LONGEST_SECONDS, LONGEST_SECONDS),
    # As old again as it is.
    else_=_age,
)
_free = schedule.alias("free")
_PUT_OFF = Statement(
    update(schedule)
    .where(
        schedule.c.message_id.in_(
            select(_free.c.message_id)
            .where(
                _free.c.owner == bindparam("gone"),
                _free.c.state == State.SENDING.value,
                _free.c.possible_duplicate,
                octets_of(_free.c.message_id) > LARGE_OCTETS,
            )
            .with_for_update(skip_locked=True)
        )
    )
    .values(due=_later)
)
_PUT_OFF_ONE = Statement(
    update(schedule)
    .where(schedule.c.message_id == bindparam("key"), _large)
    .values(due=_later)
)


def put_off_large(tx: Transaction, owner: str, now: float) -> int:
    """Have what `owner` had when it was killed wait, if another one had it before.

    To be called before its claims go back; as then, what somebody has locked is left
    alone. Returns how many messages wait.
    """
    return _PUT_OFF.run(tx, gone=owner, now=now)


def put_off_if_large(tx: Transaction, key: int, now: float) -> bool:
    """Have a message wait for which there was no memory; False: it is not large."""
    return _PUT_OFF_ONE.run(tx, key=key, now=now) > 0


def put_off(now: float) -> ColumnElement[bool]:
    """Whether a message that is due after `now` may wait because it was put off."""
    return and_(
        schedule.c.possible_duplicate,
        schedule.c.due > schedule.c.since,
        schedule.c.due <= now + LONGEST_SECONDS,
        _large,
    )
