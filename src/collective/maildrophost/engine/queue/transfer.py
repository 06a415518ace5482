"""Moves what waits in one queue to another, on whatever databases they are."""

# Rules of this file:
# - What is being moved is put aside in the old queue first, as the mail of a batch that
#   nobody releases: no daemon sends it meanwhile.
# - A key is written into the new queue with each message, and stays: another run after
#   a crash between the two commits takes nothing twice. The key has the mark of the
#   move: what comes back to the old queue later, with the same id, is moved once more.
# - What a daemon is sending right now, and mail whose transaction has not ended, stays
#   where it is, and is counted. What a daemon was sending when it was killed moves:
#   where nobody starts another one, nobody would ever give it back.

from __future__ import annotations

import hashlib
import secrets
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Row,
    Table,
    delete,
    func,
    insert,
    or_,
    select,
    update,
)

from . import tables
from .batches import MOVING, being_moved
from .daemons import retire_ended
from .database import wake
from .heldlanes import held_lanes, hold_lane
from .statement import Statement, among_ids
from .states import State
from .store import Queue, Transaction
from .takenfiles import remember

schedule, message = tables.schedule, tables.message

AT_ONCE = 100
"""Messages in one transaction of either queue."""
MOST_OCTETS = 16 * 2**20
"""... and of their contents, which are all in memory; a larger message goes alone."""
MOVED = (State.QUEUED, State.DEFERRED, State.HELD, State.FAILED)
STAYS = (State.SENDING, State.PREPARED)
MARK_OCTETS = 7
"""As many as fit, in hexadecimal, into the name of a batch behind the state."""
_CARRIED = (tables.content, tables.recipient, tables.attempt)
_CONTENT = Statement(
    select(tables.content).where(among_ids(tables.content.c.message_id)), octets=True
)

Rows = list[dict[str, Any]]


@dataclass(frozen=True)
class Transferred:
    """How many messages a run has moved, and has left behind, by their state."""

    moved: Counter[State]
    left: Mapping[State, int]


def transfer(
    source: Queue,
    target: Queue,
    now: float,
    progress: Callable[[int, int], object] = lambda done, total: None,
) -> Transferred:
    """Move all that waits, is held or has failed; `progress` gets done and total.

    Their ids change, nothing else does; lanes that are held are held in the new queue.
    Records of sent mail stay. It may be run again, after any end, within a week; raises
    QueueError, and no message is lost or doubled by that. A copy of a queue that was
    moved, from a backup say, is other mail: it would be moved again.
    """
    moved: Counter[State] = Counter()
    done = 0
    _take_back(source)
    with source.read() as tx:
        lanes = held_lanes(tx)
        # What comes meanwhile is for another run, or this one might never end.
        total, last = _extent(tx)
    with target.write() as tx:
        for lane in lanes:
            hold_lane(tx, lane)
    progress(done, total)
    for keys in _portions(source, last):
        moved += _move(source, target, keys, now)
        done += len(keys)
        progress(done, total)
    return Transferred(moved, _left(source))


def _take_back(source: Queue) -> None:
    """Have wait again what daemons had in flight that were killed."""
    with source.write() as tx:
        retire_ended(tx)


def _moving() -> ColumnElement[bool]:
    """Whether a message is to be moved, or was put aside for that by an earlier run."""
    return or_(schedule.c.state.in_([state.value for state in MOVED]), being_moved())


def _extent(tx: Transaction) -> tuple[int, int]:
    """How many messages are to be moved, and the last of their ids."""
    found = select(func.count(), func.coalesce(func.max(schedule.c.message_id), 0))
    count, last = tx.execute(found.where(_moving())).one()
    return count, last


def _portions(source: Queue, end: int) -> Iterator[list[int]]:
    """The ids of what is to be moved, to `end` inclusive."""
    last = 0
    while True:
        with source.read() as tx:
            found = tx.execute(
                select(schedule.c.message_id, message.c.size)
                .join_from(schedule, message)
                .where(
                    schedule.c.message_id > last,
                    schedule.c.message_id <= end,
                    _moving(),
                )
                .order_by(schedule.c.message_id)
                .limit(AT_ONCE)
            )
            keys = _at_once(found.all())
        if not keys:
            return
        yield keys
        last = keys[-1]


def _at_once(found: Sequence[Row[int, int]]) -> list[int]:
    """The ids of the first of these messages, as many as memory has room for."""
    sizes = accumulate(size for _key, size in found)
    fit = sum(octets <= MOST_OCTETS for octets in sizes)
    return [key for key, _size in found[: max(1, fit)]]


def _move(
    source: Queue, target: Queue, keys: Sequence[int], now: float
) -> Counter[State]:
    """In this order: wherever it is cut off, nothing is lost, or sent by both."""
    with source.write() as tx:
        _put_aside(tx, keys)
    with source.read() as tx:
        rows = _read(tx, keys)
    with target.write() as tx:
        moved = Counter(_write(tx, rows, now))
    with source.write() as tx:
        gone = message.c.id.in_([row["id"] for row in rows])
        tx.execute(delete(message).where(gone))
    return moved


def _put_aside(tx: Transaction, keys: Sequence[int]) -> None:
    # What a daemon has claimed meanwhile stays, and so does the mark of an earlier run.
    mark = secrets.token_hex(MARK_OCTETS)
    for state in MOVED:
        tx.execute(
            update(schedule)
            .where(schedule.c.message_id.in_(keys), schedule.c.state == state.value)
            .values(state=State.PREPARED.value, batch=f"{MOVING}{state.value}-{mark}")
        )


def _read(tx: Transaction, keys: Sequence[int]) -> Rows:
    """All about these messages: the columns of each, and its rows of other tables."""
    moving = tx.execute(
        select(message, schedule)
        .join_from(message, schedule)
        .where(message.c.id.in_(keys), being_moved())
        .order_by(message.c.id)
    )
    rows: dict[int, dict[str, Any]] = {
        row["id"]: {**row, **{table.name: [] for table in _CARRIED}}
        for row in moving.mappings()
    }
    for key, data in _CONTENT.rows(tx, ids=rows):
        rows[key][tables.content.name].append({"message_id": key, "data": data})
    for table in (tables.recipient, tables.attempt):
        for row in tx.execute(
            select(table).where(table.c.message_id.in_(list(rows)))
        ).mappings():
            rows[row["message_id"]][table.name].append(dict(row))
    return list(rows.values())


def _write(tx: Transaction, rows: Rows, now: float) -> list[State]:
    """Store what is not there yet; returns the state of each of these messages."""
    fresh = [row for row in rows if remember(tx, _key(row), now)]
    if not fresh:
        return []
    added = insert(message).returning(message.c.id, sort_by_parameter_order=True)
    messages = [_values_for(message, row, "id") for row in fresh]
    ids = tx.execute(added, messages).scalars().all()
    for row, key in zip(fresh, ids, strict=True):
        state, _, _mark = row["batch"].removeprefix(MOVING).partition("-")
        row.update(message_id=key, state=state, owner=None, batch=None)
    tx.execute(insert(schedule), [_values_for(schedule, row) for row in fresh])
    for table in _CARRIED:
        carried = [
            {**each, "message_id": row["message_id"]}
            for row in fresh
            for each in row[table.name]
        ]
        if carried:
            tx.execute(insert(table), carried)
    wake(tx)
    return [State(row["state"]) for row in fresh]


def _values_for(table: Table, row: dict[str, Any], *without: str) -> dict[str, Any]:
    names = [column.name for column in table.columns]
    return {name: row[name] for name in names if name not in without}


def _key(row: dict[str, Any]) -> str:
    # A new queue at the old place counts its ids from one again.
    words = f"{row['batch']} {row['id']} {row['created']!r} {row['header_id']}"
    return f"transfer {hashlib.sha256(words.encode()).hexdigest()}"


def _left(source: Queue) -> dict[State, int]:
    with source.read() as tx:
        found = tx.execute(
            select(schedule.c.state, func.count())
            .where(schedule.c.state.in_([state.value for state in STAYS]))
            .group_by(schedule.c.state)
        )
        return {State(state): count for state, count in found}
