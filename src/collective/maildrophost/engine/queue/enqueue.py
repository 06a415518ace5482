"""How mail comes into the queue: in two steps with a transaction, or at once."""

from __future__ import annotations

import secrets
from collections.abc import Sequence

from sqlalchemy import bindparam, delete, insert, select, update

from ..message import Message
from . import tables
from .database import wake
from .statement import Statement
from .states import RecipientState, State
from .store import Transaction

schedule = tables.schedule


def new_batch() -> str:
    """A name for the mail of one transaction; no other one ever gets the same."""
    return secrets.token_hex(16)


def prepare(
    tx: Transaction,
    batch: str,
    messages: Sequence[Message],
    now: float,
    origin: str = "",
) -> tuple[str, ...]:
    """Store mail that is not sent before `release(batch)`; returns the ids.

    May be called several times for one batch; `origin` tells an operator who wrote it.
    """
    return _store(tx, messages, State.PREPARED, now, batch, origin)


_FORGET = Statement(
    delete(tables.batch).where(tables.batch.c.batch == bindparam("ended"))
)
_RELEASE = Statement(
    update(schedule)
    .where(
        schedule.c.batch == bindparam("released"),
        schedule.c.state == State.PREPARED.value,
    )
    .values(state=State.QUEUED.value, batch=None)
)


def release(tx: Transaction, batch: str) -> int:
    """Make a batch's mail due: its transaction has committed. Returns how many."""
    changed = _RELEASE.run(tx, released=batch)
    _FORGET.run(tx, ended=batch)
    wake(tx)
    return changed


_DISCARD = Statement(
    delete(tables.message).where(
        tables.message.c.id.in_(
            select(schedule.c.message_id)
            .where(
                schedule.c.batch == bindparam("unwanted"),
                schedule.c.state == State.PREPARED.value,
            )
            .order_by(schedule.c.message_id)
            # SQLite takes an OFFSET only with a LIMIT; ids grow within a batch.
            .limit(2**31)
            .offset(bindparam("beyond"))
        )
    )
)


def discard(tx: Transaction, batch: str, beyond: int = 0) -> int:
    """Delete a batch's mail except for its first `beyond`; returns how many went."""
    gone = _DISCARD.run(tx, unwanted=batch, beyond=beyond)
    if not beyond:
        _FORGET.run(tx, ended=batch)
    return gone


def enqueue(
    tx: Transaction, messages: Sequence[Message], now: float, origin: str = ""
) -> tuple[str, ...]:
    """Store mail that is due at once, or at its own time; returns the ids."""
    if messages:
        wake(tx)
    return _store(tx, messages, State.QUEUED, now, None, origin)


_MESSAGE = Statement(
    insert(tables.message)
    # The id is given by the database.
    .values(
        {each: bindparam(each.name) for each in tables.message.c if each.name != "id"}
    )
    .returning(tables.message.c.id)
)
_CONTENT = Statement(insert(tables.content))
_SCHEDULE = Statement(insert(schedule))
_RECIPIENT = Statement(insert(tables.recipient))


def _store(
    tx: Transaction,
    messages: Sequence[Message],
    state: State,
    now: float,
    batch: str | None,
    origin: str,
) -> tuple[str, ...]:
    if not messages:
        return ()
    rows = [
        {
            "sender": message.sender,
            "size": len(message.content),
            "subject": message.subject,
            "header_id": message.message_id,
            "created": now,
            "origin": origin,
        }
        for message in messages
    ]
    ids = [key for (key,) in _MESSAGE.row_of_each(tx, rows)]
    numbered = list(zip(ids, messages, strict=True))
    _CONTENT.run_many(
        tx, [{"message_id": key, "data": message.content} for key, message in numbered]
    )
    _SCHEDULE.run_many(
        tx,
        [
            {
                "message_id": key,
                "state": state.value,
                "lane": int(message.lane),
                "due": now if message.due is None else message.due,
                "since": now if message.due is None else max(now, message.due),
                "attempts": 0,
                "possible_duplicate": False,
                "warned": False,
                "owner": None,
                "batch": batch,
            }
            for key, message in numbered
        ],
    )
    _RECIPIENT.run_many(
        tx,
        [
            {
                "message_id": key,
                "position": position,
                "address": address,
                "state": RecipientState.PENDING.value,
                "reply": "",
                "attempts": 0,
            }
            for key, message in numbered
            for position, address in enumerate(message.recipients)
        ],
    )
    return tuple(map(str, ids))
