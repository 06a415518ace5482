"""The messages that are there at one moment, so that later ones can be left out."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import ColumnElement, func, select

from . import tables
from .states import State
from .store import Transaction

schedule = tables.schedule

MOST_SPANS = 100
"""Databases limit the terms of a condition."""

Span = tuple[int, int]
"""A first and a last id."""


@dataclass(frozen=True)
class Present:
    """The messages whose id is not above `newest`, and not in one of the `unended`.

    Those are the spans of ids of transactions under way: what these have prepared by
    now becomes mail only when they commit.
    """

    newest: int
    unended: tuple[Span, ...] = ()

    def conditions(self, prepared_too: bool) -> list[ColumnElement[bool]]:
        """What a row of the schedule fulfils when its message is one of them."""
        key = schedule.c.message_id
        left_out = () if prepared_too else self.unended
        return [key <= self.newest, *(~key.between(*span) for span in left_out)]


def present_now(tx: Transaction) -> Present:
    """The messages there are now."""
    return Present(newest_id(tx), _unended(tx))


def newest_id(tx: Transaction) -> int:
    """The highest id of all messages, 0 when there is none."""
    newest: int | None = tx.execute(select(func.max(tables.message.c.id))).scalar()
    return newest or 0


def _unended(tx: Transaction) -> tuple[Span, ...]:
    first, last = func.min(schedule.c.message_id), func.max(schedule.c.message_id)
    rows = tx.execute(
        select(first, last)
        .where(schedule.c.state == State.PREPARED.value)
        .group_by(schedule.c.batch)
        .order_by(first)
    )
    spans = [(int(lowest), int(highest)) for lowest, highest in rows]
    if len(spans) <= MOST_SPANS:
        return tuple(spans)
    kept, rest = spans[: MOST_SPANS - 1], spans[MOST_SPANS - 1 :]
    return (*kept, (rest[0][0], max(highest for _, highest in rest)))
