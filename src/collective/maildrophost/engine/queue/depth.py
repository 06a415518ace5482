"""How much of what is in the queue: the figure that costs more the more there is."""

from __future__ import annotations

from sqlalchemy import func, select

from ..message import Lane
from . import tables
from .states import State
from .store import Transaction

schedule = tables.schedule

Depth = dict[tuple[State, Lane], int]


def depth(tx: Transaction) -> Depth:
    """Count the messages in the queue by state and lane; the record of sent mail not.

    Reads one entry of an index for each message: call it seldom.
    """
    rows = tx.execute(
        select(schedule.c.state, schedule.c.lane, func.count())
        .where(
            schedule.c.state.in_(
                [state.value for state in State if state is not State.SENT]
            )
        )
        .group_by(schedule.c.state, schedule.c.lane)
    )
    return {(State(state), Lane(lane)): count for state, lane, count in rows}
