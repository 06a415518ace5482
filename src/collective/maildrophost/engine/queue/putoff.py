"""Puts off large mail that may not fit into memory: daemons that had it were killed."""

# Mail that fills the memory does so again when it is claimed again, and so stops all
# other mail. So it waits for as long again as it is old, while the others go. One
# daemon that was killed proves nothing: the machine may have been restarted.

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
    # As long again as it is old.
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
    """Put off what `owner` had when it was killed, if another daemon had it before.

    To be called before its claims go back, which leaves alone what somebody has locked,
    as this does. Returns how many messages were put off.
    """
    return _PUT_OFF.run(tx, gone=owner, now=now)


def put_off_if_large(tx: Transaction, key: int, now: float) -> bool:
    """Put off a message for which there was no memory; False: it is not large."""
    return _PUT_OFF_ONE.run(tx, key=key, now=now) > 0


def was_put_off(now: float) -> ColumnElement[bool]:
    """Whether a message that is due after `now` may wait because it was put off."""
    return and_(
        schedule.c.possible_duplicate,
        schedule.c.due > schedule.c.since,
        schedule.c.due <= now + LONGEST_SECONDS,
        _large,
    )
