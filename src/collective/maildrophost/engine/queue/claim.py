"""How a daemon gets the messages that are due, each exactly one daemon at a time."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from sqlalchemy import ColumnElement, case, func, select, update

from ..message import Lane
from . import tables
from .states import OPEN, State
from .store import Transaction

schedule = tables.schedule


@dataclass(frozen=True)
class OpenRecipient:
    """A recipient that has no final verdict yet."""

    position: int
    address: str
    attempts: int


@dataclass(frozen=True)
class Claim:
    """One message in the hands of one daemon, with all that its delivery needs."""

    id: int
    owner: str
    lane: Lane
    sender: str
    recipients: tuple[OpenRecipient, ...]
    content: bytes
    header_id: str
    created: float
    since: float
    due: float
    attempts: int
    possible_duplicate: bool
    warned: bool


Allowance = tuple[Lane, int]
"""At most so many messages of one lane."""


def claim(
    tx: Transaction,
    owner: str,
    limit: int,
    allowances: Sequence[Allowance],
    now: float,
) -> list[Claim]:
    """Claim at most `limit` messages due at `now`, oldest due first in each lane.

    The lanes are asked in the order of `allowances`, each for at most its own number.
    """
    held = set(tx.execute(select(tables.held_lane.c.lane)).scalars())
    ids: list[int] = []
    for lane, most in allowances:
        most = min(most, limit - len(ids))
        if most > 0 and int(lane) not in held:
            ids += _lock_due(tx, lane, most, now)
    if not ids:
        return []
    tx.execute(
        update(schedule)
        .where(schedule.c.message_id.in_(ids))
        .values(state=State.SENDING.value, owner=owner)
    )
    return _load(tx, owner, ids)


def _lock_due(tx: Transaction, lane: Lane, most: int, now: float) -> Sequence[int]:
    due = (
        select(schedule.c.message_id)
        .where(tables.WAITING_SQL, schedule.c.lane == int(lane), schedule.c.due <= now)
        .order_by(schedule.c.due, schedule.c.message_id)
        .limit(most)
        .with_for_update(skip_locked=True)
    )
    return tx.execute(due).scalars().all()


def _load(tx: Transaction, owner: str, ids: Sequence[int]) -> list[Claim]:
    recipients: dict[int, list[OpenRecipient]] = {key: [] for key in ids}
    rows = tx.execute(
        select(
            tables.recipient.c.message_id,
            tables.recipient.c.position,
            tables.recipient.c.address,
            tables.recipient.c.attempts,
        )
        .where(
            tables.recipient.c.message_id.in_(ids),
            tables.recipient.c.state.in_([state.value for state in OPEN]),
        )
        .order_by(tables.recipient.c.message_id, tables.recipient.c.position)
    )
    for key, position, address, attempts in rows:
        recipients[key].append(OpenRecipient(position, address, attempts))
    messages = tx.execute(
        select(
            tables.message.c.id,
            tables.message.c.sender,
            tables.message.c.header_id,
            tables.message.c.created,
            schedule.c.lane,
            schedule.c.since,
            schedule.c.due,
            schedule.c.attempts,
            schedule.c.possible_duplicate,
            schedule.c.warned,
            tables.content.c.data,
        )
        .join_from(tables.message, schedule)
        .join(tables.content, tables.content.c.message_id == tables.message.c.id)
        .where(tables.message.c.id.in_(ids))
    )
    loaded = {
        row.id: Claim(
            id=row.id,
            owner=owner,
            lane=Lane(row.lane),
            sender=row.sender,
            recipients=tuple(recipients[row.id]),
            content=row.data,
            header_id=row.header_id,
            created=row.created,
            since=row.since,
            due=row.due,
            attempts=row.attempts,
            possible_duplicate=row.possible_duplicate,
            warned=row.warned,
        )
        for row in messages
    }
    return [loaded[key] for key in ids]


BACK_TO_WAITING = case(
    (schedule.c.attempts > 0, State.DEFERRED.value), else_=State.QUEUED.value
)


def give_back(tx: Transaction, owner: str, ids: Iterable[int]) -> int:
    """Undo claims of `owner`: nothing was tried, no attempt is counted."""
    changed = tx.execute(
        update(schedule)
        .where(schedule.c.message_id.in_(list(ids)), _claimed_by(owner))
        .values(state=BACK_TO_WAITING, owner=None)
    )
    return changed.rowcount


def recover(tx: Transaction, owner: str) -> int:
    """Undo the claims of a daemon that is gone; it may have sent them already."""
    changed = tx.execute(
        update(schedule)
        .where(_claimed_by(owner))
        .values(state=BACK_TO_WAITING, owner=None, possible_duplicate=True)
    )
    return changed.rowcount


def next_due(tx: Transaction) -> float | None:
    """When the next waiting message is due (seconds since the epoch), None: none."""
    held = select(tables.held_lane.c.lane)
    # One look at the first entry of each lane's part of the index.
    earliest = [
        tx.execute(
            select(func.min(schedule.c.due)).where(
                tables.WAITING_SQL,
                schedule.c.lane == int(lane),
                schedule.c.lane.not_in(held),
            )
        ).scalar()
        for lane in Lane
    ]
    return min((due for due in earliest if due is not None), default=None)


def _claimed_by(owner: str) -> ColumnElement[bool]:
    return (schedule.c.owner == owner) & (schedule.c.state == State.SENDING.value)
