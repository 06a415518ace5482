"""Find messages by what a person knows of them, a page at a time.

What this costs, with any number of messages in the queue:

- Without a text, in the order of `due` or `created`: a page reads its own rows and
  those before it from an index. Other orders sort what the states and the lane leave.
- A text may stand in the middle of a word, which no index helps with: it is looked for
  in the `SCANNED` newest messages only, and the answer says so where that left out
  some. A text that is an id finds that message, however old.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum

from sqlalchemy import ColumnElement, Select, false, func, or_, select, union, union_all

from ..message import Lane
from . import tables
from .listing import MessageRecord, key_of, records
from .present import Present, newest_id
from .states import IN_QUEUE, State
from .store import Transaction

message = tables.message
recipient = tables.recipient
schedule = tables.schedule

SCANNED = 200_000
"""The newest messages in which a text is looked for."""
LONGEST_TEXT = 1000
"""No address and no subject is so long (addresses.py, compose.py)."""
LAST_OFFSET = 2**31 - 1
"""The highest offset that a page may ask for: databases do not take every number."""
_IN_NO_TEXT = re.compile("[\0\ud800-\udfff]")


class Sort(str, Enum):
    """What found messages are ordered by."""

    DUE = "due"
    CREATED = "created"
    SENDER = "sender"
    SUBJECT = "subject"
    SIZE = "size"
    ATTEMPTS = "attempts"


@dataclass(frozen=True)
class Search:
    """Which messages, in which order.

    `text` is part of a recipient, of the sender or of the subject, whatever its case
    (databases may know the case of ASCII letters only), or it is an id.
    """

    text: str = ""
    states: tuple[State, ...] = IN_QUEUE
    lane: Lane | None = None
    sort: Sort = Sort.DUE
    descending: bool = False


@dataclass(frozen=True)
class Found:
    """One page of messages, with how many there are on all pages.

    `complete` is False when a text was not looked for in the oldest messages.
    """

    records: tuple[MessageRecord, ...]
    total: int
    complete: bool = True


def search(tx: Transaction, wanted: Search, limit: int, offset: int = 0) -> Found:
    """The messages `offset` to `offset + limit` of those that are wanted."""
    oldest = _oldest_scanned(tx)
    indexed = wanted.states and wanted.sort in (Sort.DUE, Sort.CREATED)
    if wanted.text.strip() or not indexed:
        # Everything is looked at anyway: the same look counts it.
        page = _sorted(wanted, oldest).limit(limit).offset(offset)
        rows = tx.execute(page.add_columns(func.count().over())).all()
        keys = [key for key, _ in rows]
        total = rows[0][1] if rows else _count(tx, _conditions(wanted, oldest))
    else:
        keys = list(tx.execute(_from_index(wanted, limit, offset)).scalars())
        total = _count(tx, _conditions(wanted, oldest))
    complete = not wanted.text.strip() or _nothing_before(tx, oldest)
    return Found(tuple(records(tx, keys)), total, complete)


def keys_in_order(
    tx: Transaction, state: State | None, limit: int | None = None
) -> list[int]:
    """The keys of messages in one state, or of all not sent; oldest due first.

    For `records` to read bit by bit; without a limit, all of them.
    """
    states = IN_QUEUE if state is None else (state,)
    return list(tx.execute(_in_due_order(Search(states=states), limit, 0)).scalars())


def list_messages(tx: Transaction, state: State | None = None) -> list[MessageRecord]:
    """Every message in one state, or all that are not sent; oldest due first."""
    return records(tx, keys_in_order(tx, state))


def ids_matching(
    tx: Transaction, wanted: Search, limit: int, after: str, there: Present
) -> tuple[str, ...]:
    """The ids of wanted messages that were `there`, above the id `after`, in order.

    For actions on all of them in transactions of a bounded size: the last id of one
    call is `after` in the next, whatever the action did to the messages before.
    """
    found = (
        select(schedule.c.message_id)
        .where(
            schedule.c.message_id > int(after), *_conditions_there(tx, wanted, there)
        )
        .order_by(schedule.c.message_id)
        .limit(limit)
    )
    return tuple(str(key) for key in tx.execute(found).scalars())


def count_matching(tx: Transaction, wanted: Search, there: Present) -> int:
    """How many of the messages that were `there` are wanted."""
    return _count(tx, _conditions_there(tx, wanted, there))


def _conditions_there(
    tx: Transaction, wanted: Search, there: Present
) -> list[ColumnElement[bool]]:
    prepared_too = State.PREPARED in wanted.states
    conditions = _conditions(wanted, _oldest_scanned(tx))
    return [*there.conditions(prepared_too), *conditions]


def find_by_message_id(tx: Transaction, message_id: str) -> MessageRecord | None:
    """The newest message with that Message-Id header, None when there is none.

    Read from the newest on, so that a mail of this moment is found at once.
    """
    newest_first = (
        select(message.c.id)
        .where(message.c.id >= _oldest_scanned(tx), message.c.header_id == message_id)
        .order_by(message.c.id.desc())
        .limit(1)
    )
    return next(iter(records(tx, tx.execute(newest_first).scalars().all())), None)


def _oldest_scanned(tx: Transaction) -> int:
    return max(0, newest_id(tx) - SCANNED + 1)


def _count(tx: Transaction, conditions: Iterable[ColumnElement[bool]]) -> int:
    counted = select(func.count()).select_from(schedule).where(*conditions)
    return tx.execute(counted).scalar_one()


def _nothing_before(tx: Transaction, oldest: int) -> bool:
    first: int | None = tx.execute(select(func.min(message.c.id))).scalar()
    return first is None or first >= oldest


def _from_index(wanted: Search, limit: int, offset: int) -> Select[int]:
    if wanted.sort is Sort.CREATED:
        # Ids grow with time, and the table lies in their order.
        everything = select(schedule.c.message_id).where(*_conditions(wanted, 0))
        ordered = _ordered(everything, wanted, schedule.c.message_id)
        return ordered.limit(limit).offset(offset)
    return _in_due_order(wanted, limit, offset)


def _in_due_order(wanted: Search, limit: int | None, offset: int) -> Select[int]:
    # Each state and lane is one ordered run of the index: no run is read further than
    # the end of the page.
    lanes = tuple(Lane) if wanted.lane is None else (wanted.lane,)
    runs = [
        select(
            _ordered(
                select(schedule.c.message_id, schedule.c.due.label("value")).where(
                    schedule.c.state == state.value, schedule.c.lane == int(lane)
                ),
                wanted,
                schedule.c.due,
                schedule.c.message_id,
            )
            .limit(None if limit is None else offset + limit)
            .subquery()
        )
        for state in wanted.states
        for lane in lanes
    ]
    merged = union_all(*runs).subquery()
    found = select(merged.c.message_id)
    ordered = _ordered(found, wanted, merged.c.value, merged.c.message_id)
    return ordered.limit(limit).offset(offset)


def _sorted(wanted: Search, oldest: int) -> Select[int]:
    found = (
        select(schedule.c.message_id)
        .join_from(schedule, message)
        .where(*_conditions(wanted, oldest))
    )
    return _ordered(found, wanted, _VALUES[wanted.sort], schedule.c.message_id)


_VALUES: dict[Sort, ColumnElement[object]] = {
    Sort.DUE: schedule.c.due,
    Sort.CREATED: schedule.c.message_id,
    Sort.SENDER: func.lower(message.c.sender),
    Sort.SUBJECT: func.lower(message.c.subject),
    Sort.SIZE: message.c.size,
    Sort.ATTEMPTS: schedule.c.attempts,
}


def _ordered(
    found: Select[int], wanted: Search, *columns: ColumnElement[object]
) -> Select[int]:
    return found.order_by(
        *(column.desc() if wanted.descending else column.asc() for column in columns)
    )


def _conditions(wanted: Search, oldest: int) -> list[ColumnElement[bool]]:
    states = [state.value for state in wanted.states]
    conditions: list[ColumnElement[bool]] = [schedule.c.state.in_(states)]
    if wanted.lane is not None:
        conditions.append(schedule.c.lane == int(wanted.lane))
    text = wanted.text.strip()
    if text:
        conditions.append(
            schedule.c.message_id.in_(_with_text(text, oldest))
            if _may_stand_somewhere(text)
            else false()
        )
    return conditions


def _may_stand_somewhere(text: str) -> bool:
    # PostgreSQL refuses what it cannot store, SQLite a text of 50,000 octets. SQLite
    # reads a text only up to a NUL: one that begins with a NUL would find everything.
    return len(text) <= LONGEST_TEXT and not _IN_NO_TEXT.search(text)


def _with_text(text: str, oldest: int) -> Select[int]:
    # One scan of each table is faster than a look at the recipients of each message.
    places = [
        select(message.c.id).where(
            message.c.id >= oldest,
            or_(
                message.c.sender.icontains(text, autoescape=True),
                message.c.subject.icontains(text, autoescape=True),
            ),
        ),
        select(recipient.c.message_id).where(
            recipient.c.message_id >= oldest,
            recipient.c.address.icontains(text, autoescape=True),
        ),
    ]
    key = key_of(text)
    if key is not None:
        places.append(select(message.c.id).where(message.c.id == key))
    return select(union(*places).subquery().c[0])
