"""Lanes that are held: nothing of them is claimed."""

from __future__ import annotations

from sqlalchemy import delete, select, text

from ..message import Lane
from . import tables
from .database import wake
from .statement import Statement
from .store import Transaction

_held = tables.held_lane.c.lane

NOT_HELD = tables.schedule.c.lane.not_in(select(_held))
_HOLD_LANE = Statement(
    text("INSERT INTO maildrop_held_lane (lane) VALUES (:lane) ON CONFLICT DO NOTHING")
)


def hold_lane(tx: Transaction, lane: Lane) -> bool:
    """Claim nothing of a lane any more; False when it was held already."""
    return _HOLD_LANE.run(tx, lane=int(lane)) > 0


def release_lane(tx: Transaction, lane: Lane) -> bool:
    """Let a lane go on; False when it was not held."""
    wake(tx)
    ended = delete(tables.held_lane).where(_held == int(lane))
    return tx.execute(ended).rowcount > 0


def held_lanes(tx: Transaction) -> tuple[Lane, ...]:
    """The lanes that are held."""
    found = tx.execute(select(_held).order_by(_held))
    return tuple(map(Lane, found.scalars()))
