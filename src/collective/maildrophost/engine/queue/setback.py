"""Mail that waits for a time that was written before the clock was set back."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain

from sqlalchemy import ColumnElement, or_, select, update

from ..message import Lane
from . import tables
from .database import moment
from .putoff import was_put_off
from .standing import standing_of
from .states import UNFINISHED
from .store import Queue, Transaction

schedule = tables.schedule

AT_ONCE = 500
"""Messages in one transaction, so that others get to write."""
TOLERANCE_SECONDS = 2.0
"""Mail that is queued after `now` was read lies ahead of it, too, as does mail of a
machine whose clock is a little fast. It waits no longer than this."""


def pull_back(queue: Queue, now: float, longest_wait: float) -> int:
    """Make due what waits longer than it ever should; returns how many messages.

    That is mail whose retry lies more than `longest_wait` seconds ahead, and mail
    without a time of its own that was queued in the future; what is in flight, held or
    prepared counts, too: it may come back. Mail that somebody wants sent at a certain
    time keeps that time, as does what was put off. The lifetime of the others begins at
    `now` at the latest; or at the `moment` that all agree on, where `now` is behind
    that: else others would take the mail for older by the difference.
    """
    with queue.read() as tx:
        begins = max(now, moment(tx, now))
        stuck = _stuck(tx, now + TOLERANCE_SECONDS, longest_wait, begins)
        keys = list(chain.from_iterable(stuck))
    for start in range(0, len(keys), AT_ONCE):
        with queue.write() as tx:
            _make_due(tx, keys[start : start + AT_ONCE], now, begins)
    return len(keys)


def _stuck(
    tx: Transaction, now: float, longest_wait: float, agreed: float
) -> list[Sequence[int]]:
    created = tables.message.c.created
    tried = schedule.c.attempts > 0
    from_the_old_time = or_(
        tried & (schedule.c.due > now + longest_wait),
        ~tried & unscheduled(created, agreed),
    )
    # Each state and lane is one run of the index.
    return [
        tx.execute(
            select(schedule.c.message_id)
            .join(tables.message, tables.message.c.id == schedule.c.message_id)
            .where(
                schedule.c.state == state.value,
                schedule.c.lane == int(lane),
                schedule.c.due > now,
                from_the_old_time,
                ~was_put_off(now),
            )
        )
        .scalars()
        .all()
        for state in UNFINISHED
        for lane in Lane
    ]


def unscheduled(created: ColumnElement[float], agreed: float) -> ColumnElement[bool]:
    """Whether mail that was never tried has no time of its own that is still to come.

    With such a time, the lifetime begins then (`due` = `since`, after `created`). It
    begins later (`due` < `since`) where that time was over by the sender's clock, which
    may be fast, and where a daemon whose clock is behind has made the mail due: such a
    time is over for all once it is not after the moment that is `agreed`. Whatever else
    moves `due` leaves it after the beginning of the lifetime.
    """
    due, since = schedule.c.due, schedule.c.since
    return (
        (due > since)
        | ((due == since) & (due <= created))
        | ((due < since) & (due <= agreed))
    )


def _make_due(tx: Transaction, keys: Sequence[int], now: float, begins: float) -> None:
    standing_of(tx, keys)  # Locked in the order in which all others lock them.
    # What has ended meanwhile keeps the time of its end.
    unfinished = schedule.c.state.in_([state.value for state in UNFINISHED])
    for column, latest in ((schedule.c.due, now), (schedule.c.since, begins)):
        tx.execute(
            update(schedule)
            .where(schedule.c.message_id.in_(keys), unfinished, column > latest)
            .values({column.name: latest})
        )
