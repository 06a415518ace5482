"""What the queue shows of its messages."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Row, select

from ..clock import rfc3339
from ..digits import whole_number
from ..message import Lane
from . import tables
from .database import database_of
from .states import RecipientState, State
from .store import Transaction

schedule = tables.schedule


@dataclass(frozen=True)
class AttemptRecord:
    """One attempt for one recipient; `time` in seconds since the epoch."""

    number: int
    time: float
    relay: str
    address: str
    outcome: str
    reply: str

    def as_json(self) -> dict[str, Any]:
        """The attempt as `--json` and REST show it."""
        return {**self.__dict__, "time": rfc3339(self.time)}


@dataclass(frozen=True)
class RecipientRecord:
    """One recipient with its last reply."""

    address: str
    state: RecipientState
    reply: str
    attempts: int

    def as_json(self) -> dict[str, Any]:
        """The recipient as `--json` and REST show it."""
        return {**self.__dict__, "state": self.state.value}


_FIRST = (
    RecipientState.FAILED,
    RecipientState.DEFERRED,
    RecipientState.PENDING,
    RecipientState.SENT,
)


@dataclass(frozen=True)
class MessageRecord:
    """All that is known of one message, but its content."""

    id: str
    state: State
    lane: Lane
    sender: str
    recipients: tuple[RecipientRecord, ...]
    size: int
    subject: str
    message_id: str
    created: float
    due: float
    attempts: int
    possible_duplicate: bool
    origin: str
    batch: str | None

    def by_need(self) -> list[RecipientRecord]:
        """The recipients, first those that make the message failed or deferred.

        For where not all can be shown: these are the ones that people look for.
        """
        return sorted(self.recipients, key=lambda each: _FIRST.index(each.state))

    def as_json(self) -> dict[str, Any]:
        """The message as `--json` and REST show it."""
        return {
            "id": self.id,
            "state": self.state.value,
            "lane": self.lane.label,
            "sender": self.sender,
            "recipients": [recipient.as_json() for recipient in self.recipients],
            "size": self.size,
            "subject": self.subject,
            "message_id": self.message_id,
            "created": rfc3339(self.created),
            "due": rfc3339(self.due),
            "attempts": self.attempts,
            "possible_duplicate": self.possible_duplicate,
        }


def get_message(tx: Transaction, id: str) -> MessageRecord | None:
    """One message; None when there is none with this id."""
    key = key_of(id)
    return next(iter(records(tx, [key])), None) if key is not None else None


def content(tx: Transaction, id: str) -> bytes | None:
    """The message itself, byte for byte; None when it is gone (sent, or deleted)."""
    data = tables.content.c.data
    found = tx.execute(select(data).where(tables.content.c.message_id == key_of(id)))
    return found.scalar_one_or_none()


def attempts(tx: Transaction, id: str) -> list[AttemptRecord]:
    """Every attempt at a message, in the order they were made."""
    attempt, recipient = tables.attempt, tables.recipient
    asked = (
        select(
            attempt.c.number,
            attempt.c.time,
            attempt.c.relay,
            recipient.c.address,
            attempt.c.outcome,
            attempt.c.reply,
        )
        .join_from(
            attempt,
            recipient,
            (attempt.c.message_id == recipient.c.message_id)
            & (attempt.c.position == recipient.c.position),
        )
        .where(attempt.c.message_id == key_of(id))
        .order_by(attempt.c.number, attempt.c.position)
    )
    with database_of(tx).any_text(tx):
        return [AttemptRecord(**row._mapping) for row in tx.execute(asked)]


_LAST_KEY = 2**63 - 1
"""Databases count no further."""


def key_of(id: str) -> int | None:
    """A message's id as the number in the tables; None for a text that is no id."""
    return whole_number(id, _LAST_KEY)


AT_ONCE = 500
"""Ids in one statement: databases limit its parameters."""


def records(tx: Transaction, keys: Sequence[int]) -> list[MessageRecord]:
    """The messages with these keys, in their order, without those that are gone.

    What is damaged in one is shown as damaged, and hides none of the others.
    """
    found: dict[int, MessageRecord] = {}
    with database_of(tx).any_text(tx):
        for start in range(0, len(keys), AT_ONCE):
            found.update(_records(tx, keys[start : start + AT_ONCE]))
    return [found[key] for key in keys if key in found]


def _records(tx: Transaction, keys: Sequence[int]) -> dict[int, MessageRecord]:
    recipients = _recipients(tx, keys)
    rows = tx.execute(
        select(tables.message, schedule)
        .join_from(tables.message, schedule)
        .where(tables.message.c.id.in_(keys))
    )
    return {row.id: _record(row, recipients[row.id]) for row in rows}


def _recipients(
    tx: Transaction, keys: Iterable[int]
) -> dict[int, list[RecipientRecord]]:
    recipient = tables.recipient
    grouped: dict[int, list[RecipientRecord]] = {key: [] for key in keys}
    rows = tx.execute(
        select(recipient)
        .where(recipient.c.message_id.in_(list(grouped)))
        .order_by(recipient.c.message_id, recipient.c.position)
    )
    for row in rows:
        grouped[row.message_id].append(
            RecipientRecord(
                row.address, _recipient_state(row.state), row.reply, row.attempts
            )
        )
    return grouped


def _record(row: Row[Any], recipients: Sequence[RecipientRecord]) -> MessageRecord:
    return MessageRecord(
        id=str(row.id),
        state=state_of(row.state),
        lane=Lane(row.lane),
        sender=row.sender,
        recipients=tuple(recipients),
        size=row.size,
        subject=row.subject,
        message_id=row.header_id,
        created=row.created,
        due=row.due,
        attempts=row.attempts,
        possible_duplicate=row.possible_duplicate,
        origin=row.origin,
        batch=row.batch,
    )


# Nothing is sent any more in a state that does not exist: that is a failure.


def state_of(text: str) -> State:
    """The state of a message; failed where what the queue says of it is damaged."""
    return _STATES.get(text, State.FAILED)


def _recipient_state(text: str) -> RecipientState:
    return _RECIPIENT_STATES.get(text, RecipientState.FAILED)


_STATES = {state.value: state for state in State}
_RECIPIENT_STATES = {state.value: state for state in RecipientState}
