"""How much of what is in the queue: a figure that costs more the more there is."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import func, select

from ..message import Lane
from . import tables
from .states import IN_QUEUE, State
from .store import Transaction

schedule = tables.schedule

Depth = dict[tuple[State, Lane], int]


def depth(tx: Transaction, states: Sequence[State] = IN_QUEUE) -> Depth:
    """Count the messages in these states by state and lane.

    Reads one entry of an index for each message: call it seldom.
    """
    rows = tx.execute(
        select(schedule.c.state, schedule.c.lane, func.count())
        .where(schedule.c.state.in_([state.value for state in states]))
        .group_by(schedule.c.state, schedule.c.lane)
    )
    return {(State(state), Lane(lane)): count for state, lane, count in rows}
