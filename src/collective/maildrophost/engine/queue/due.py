"""What may be claimed, and when there will be more."""

# Rules of this file:
# - A daemon asks a thousand times a second, whatever is queued: each answer is a look
#   at the start of a lane's part of the index. Only where large messages come first,
#   for which there may be no room, is it searched for small ones behind them.

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import (
    ColumnElement,
    ScalarSelect,
    Select,
    bindparam,
    func,
    select,
    union_all,
)

from ..large import LARGE_OCTETS
from ..message import Lane
from . import tables
from .heldlanes import NOT_HELD
from .statement import Statement
from .store import Transaction

schedule = tables.schedule


@dataclass(frozen=True)
class Due:
    """The ids of each lane, oldest due first, and the octets of the large ones."""

    lanes: dict[Lane, list[int]]
    large: dict[int, int]


LANES = dict(enumerate(Lane))
"""By their numbers in the tables: calling an enum costs more."""


def octets_of(id: ColumnElement[int]) -> ScalarSelect[int]:
    """The size of the message with that id, in any statement."""
    # Not a join: by its statistics a database might read the whole table for that.
    message = tables.message.alias("sized")
    return select(message.c.size).where(message.c.id == id).scalar_subquery()


def _due_in(lane: Lane, small: bool) -> Select[int, int, int]:
    statement = (
        select(schedule.c.lane, schedule.c.message_id)
        .where(
            tables.WAITING_SQL,
            schedule.c.lane == int(lane),
            NOT_HELD,
            schedule.c.due <= bindparam("now"),
        )
        .order_by(schedule.c.due, schedule.c.message_id)
        .limit(bindparam("most"))
    )
    if small:
        octets = octets_of(schedule.c.message_id)
        statement = statement.where(octets <= LARGE_OCTETS)
    found = statement.subquery()
    return select(found.c.lane, found.c.message_id, octets_of(found.c.message_id))


_DUE, _SMALL_DUE = (
    Statement(union_all(*(_due_in(lane, small) for lane in Lane)))
    for small in (False, True)
)


def due(tx: Transaction, most: int, now: float) -> Due:
    """What may be claimed at `now`: at most `most` of a lane, nothing of a held one.

    Where some of them are large, as many small ones as well.
    """
    found: dict[Lane, list[int]] = {lane: [] for lane in Lane}
    large: dict[int, int] = {}
    for lane, key, octets in _DUE.rows(tx, most=most, now=now):
        found[LANES[lane]].append(key)
        # Of a message whose record is lost the size is not known.
        if octets is not None and octets > LARGE_OCTETS:
            large[key] = octets
    if large:
        for lane, key, _octets in _SMALL_DUE.rows(tx, most=most, now=now):
            if key not in found[LANES[lane]]:
                found[LANES[lane]].append(key)
    return Due(found, large)


_NEXT_DUE = Statement(
    select(
        *(
            # One look at the first entry of each lane's part of the index.
            select(func.min(schedule.c.due))
            .where(tables.WAITING_SQL, schedule.c.lane == int(lane), NOT_HELD)
            .scalar_subquery()
            for lane in Lane
        )
    )
)


def next_due(tx: Transaction) -> float | None:
    """When the next waiting message is due (seconds since the epoch); None: none is."""
    (earliest,) = _NEXT_DUE.rows(tx)
    return min((moment for moment in earliest if moment is not None), default=None)
