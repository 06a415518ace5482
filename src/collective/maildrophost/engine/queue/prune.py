"""Forgets, some at a time, old records, counters, faults and keys of files."""

from __future__ import annotations

from sqlalchemy import delete, select

from ..message import Lane
from . import tables
from .batches import forget_batches
from .states import State
from .store import Transaction
from .takenfiles import TAKEN_FILE_DAYS

schedule = tables.schedule

AT_ONCE = 500
"""Rows in one transaction, so that others get to write."""
SECONDS_PER_DAY = 86400
HOUR_DAYS = 400
RELAY_DAYS = 7
"""How long the fault of a relay that no daemon has any more is remembered."""


def prune(tx: Transaction, now: float, history_days: float, failed_days: float) -> int:
    """Forget some; returns how many records went. If AT_ONCE or more: call again.

    `failed_days` 0 keeps failed messages until somebody deletes them.
    """
    gone = _forget(tx, State.SENT, now - history_days * SECONDS_PER_DAY)
    if failed_days:
        gone += _forget(tx, State.FAILED, now - failed_days * SECONDS_PER_DAY)
    hours = tables.hour
    tx.execute(delete(hours).where(hours.c.hour < now - HOUR_DAYS * SECONDS_PER_DAY))
    forget_batches(tx)
    _forget_relays(tx, now)
    return gone


def prune_files(tx: Transaction, now: float) -> int:
    """Forget some keys of removed files; returns how many. If AT_ONCE: call again.

    For a daemon that has looked through its drop directories since it started, and so
    has found what had come back.
    """
    files = tables.taken_file
    old = now - TAKEN_FILE_DAYS * SECONDS_PER_DAY
    forgotten = select(files.c.key).where(files.c.taken < old).limit(AT_ONCE)
    return tx.execute(delete(files).where(files.c.key.in_(forgotten))).rowcount


def _forget(tx: Transaction, state: State, before: float) -> int:
    return sum(_forget_lane(tx, state, lane, before) for lane in Lane)


def _forget_lane(tx: Transaction, state: State, lane: Lane, before: float) -> int:
    # For what has ended, `due` is the time of its end. With the lane this is the start
    # of one run of the index: looking costs the same however long the history is.
    old = (
        select(schedule.c.message_id)
        .where(
            schedule.c.state == state.value,
            schedule.c.lane == int(lane),
            schedule.c.due < before,
        )
        .limit(AT_ONCE)
        # Another daemon forgets the next ones.
        .with_for_update(skip_locked=True)
    )
    gone = tx.execute(delete(tables.message).where(tables.message.c.id.in_(old)))
    return gone.rowcount


def _forget_relays(tx: Transaction, now: float) -> None:
    # No daemon is left that would find that it works again.
    relay, old = tables.relay, now - RELAY_DAYS * SECONDS_PER_DAY
    in_use = select(tables.daemon.c.relay)
    unused = relay.c.name.not_in(in_use) & (relay.c.paused_until < old)
    tx.execute(delete(relay).where(unused))
