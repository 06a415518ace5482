"""Mail that waits for a time before the clock was set back."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain

from sqlalchemy import ColumnElement, or_, select, update

from ..message import Lane
from . import tables
from .store import Queue, Transaction

schedule = tables.schedule

BATCH = 500
"""Messages in one transaction, so that others get to write."""


def pull_back(queue: Queue, now: float, longest_wait: float) -> int:
    """Make due what waits longer than it ever should; returns how many messages.

    That is mail whose retry lies more than `longest_wait` seconds ahead, and mail for
    no time of its own that was queued in the future. What somebody wants sent at a
    certain time keeps that time. Their lifetime begins now, at the latest.
    """
    with queue.read() as tx:
        keys = list(chain.from_iterable(_stuck(tx, now, longest_wait)))
    for start in range(0, len(keys), BATCH):
        with queue.write() as tx:
            _make_due(tx, keys[start : start + BATCH], now)
    return len(keys)


def _stuck(tx: Transaction, now: float, longest_wait: float) -> list[Sequence[int]]:
    # With the lane each is one run of the index of what waits.
    return [
        tx.execute(
            select(schedule.c.message_id)
            .join(tables.message, tables.message.c.id == schedule.c.message_id)
            .where(
                tables.WAITING_SQL,
                schedule.c.lane == int(lane),
                schedule.c.due > now,
                or_(*_from_the_old_time(now, longest_wait)),
            )
        )
        .scalars()
        .all()
        for lane in Lane
    ]


def _from_the_old_time(
    now: float, longest_wait: float
) -> tuple[ColumnElement[bool], ColumnElement[bool]]:
    tried = schedule.c.attempts > 0
    return (
        tried & (schedule.c.due > now + longest_wait),
        ~tried & (schedule.c.due <= tables.message.c.created),
    )


def _make_due(tx: Transaction, keys: Sequence[int], now: float) -> None:
    # Somebody may have been faster: what is no longer waiting is left alone.
    tx.execute(
        update(schedule)
        .where(schedule.c.message_id.in_(keys), tables.WAITING_SQL)
        .values(due=now)
    )
    tx.execute(
        update(schedule)
        .where(schedule.c.message_id.in_(keys), schedule.c.since > now)
        .values(since=now)
    )
