"""What the queue says of messages at the moment of their settlement."""

# Rules of this file:
# - It runs for every few messages: see `settle`.
# - A standby that took over, or a backup that was restored, gives ids again that it had
#   not heard of: so it takes an id and the time of creation to name a message.

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from sqlalchemy import select

from . import tables
from .statement import Statement, among_ids
from .store import Transaction

schedule = tables.schedule

_SAME_SECONDS = 0.001
"""A session of PostgreSQL may be set to tell fewer digits than were written."""


class MessageKey(NamedTuple):
    """The message with this id that was created then, not a later one with that id."""

    id: int
    created: float


@dataclass(frozen=True)
class Standing:
    """One message, locked until the transaction ends."""

    owner: str | None
    attempts: int
    created: float

    def is_of(self, created: float) -> bool:
        """Whether it is still the message that was created then."""
        return abs(self.created - created) < _SAME_SECONDS


_STANDING = Statement(
    select(
        schedule.c.message_id,
        schedule.c.owner,
        schedule.c.attempts,
        tables.message.c.created,
    )
    .join_from(schedule, tables.message)
    .where(among_ids(schedule.c.message_id))
    # Always in one order, so that no two can wait for each other's rows.
    .order_by(schedule.c.message_id)
    .with_for_update(of=schedule)
)


def standing_of(tx: Transaction, ids: Sequence[int]) -> dict[int, Standing]:
    """How each of these messages stands; without those that are gone."""
    return {row[0]: Standing(*row[1:]) for row in _STANDING.rows(tx, ids=ids)}


def still_there(tx: Transaction, keys: Sequence[MessageKey]) -> list[int]:
    """The ids of those that are still the same messages; they are locked."""
    found = standing_of(tx, [id for id, _ in keys])
    return [id for id, created in keys if id in found and found[id].is_of(created)]


def is_recorded(tx: Transaction, key: int, since: int, time: float) -> bool:
    """Whether an attempt at this message, after `since` others, has ended at `time`."""
    attempt = tables.attempt
    found = tx.execute(
        select(attempt.c.number)
        .where(
            attempt.c.message_id == key,
            attempt.c.number > since,
            attempt.c.time == time,
        )
        .limit(1)
    )
    return found.first() is not None
