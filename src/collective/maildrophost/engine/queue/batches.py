"""What is known of a transaction whose mail is prepared, until it has ended."""

from __future__ import annotations

from dataclasses import asdict, dataclass

from sqlalchemy import (
    ColumnElement,
    bindparam,
    delete,
    exists,
    false,
    func,
    select,
    text,
)

from ..errors import MaildropError
from ..system.identity import is_gone, is_running
from ..wording import _
from . import tables
from .database import database_of
from .leftalone import BeingMoved, StillRunning, Undecided
from .statement import Statement
from .states import State
from .store import Transaction

message, schedule, table = tables.message, tables.schedule, tables.batch

IN_DOUBT_SECONDS = 300
"""A message prepared for longer belongs to a transaction that was cut off, unless that
is known to go on."""
MOVING = "transfer-"
"""The batch of what is being moved to another queue begins so; the state that it had
and the mark of the move follow. No transaction has it, and nobody may decide about
it."""


def of_a_transaction() -> ColumnElement[bool]:
    """Whether a prepared message waits for its transaction, and is not being moved."""
    return ~schedule.c.batch.startswith(MOVING)


def being_moved() -> ColumnElement[bool]:
    """Whether a message was put aside, on its way to another queue."""
    return (schedule.c.state == State.PREPARED.value) & ~of_a_transaction()


def aside_length(tx: Transaction) -> int:
    """How many messages nobody sends because they are being moved to another queue.

    They stay so when the move was broken off; another `transfer` goes on with it.
    """
    return tx.execute(select(func.count()).where(being_moved())).scalar_one()


@dataclass(frozen=True)
class Batch:
    """The mail of one transaction, on its way through the two phases.

    `process` has the transaction (see `identity`); `voted`: whether it may have
    committed by now; `log`: where its writer can look up whether it has, "": nowhere.
    """

    batch: str
    process: str
    voted: bool = False
    log: str = ""


_REMEMBER = Statement(
    text("""
    INSERT INTO maildrop_batch (batch, process, voted, log)
    VALUES (:batch, :process, :voted, :log)
    ON CONFLICT (batch) DO UPDATE
    SET process = excluded.process, voted = excluded.voted, log = excluded.log
    """)
)


def remember_batch(tx: Transaction, batch: Batch) -> None:
    """Write down what is known; replaces what was known before."""
    _REMEMBER.run(tx, **asdict(batch))


_COUNT = Statement(
    select(func.count())
    .select_from(schedule)
    .where(
        schedule.c.batch == bindparam("voting"),
        schedule.c.state == State.PREPARED.value,
    )
)


class BatchTorn(MaildropError):
    """The queue has fewer mails of a batch than its transaction has prepared, or more.

    There are more when mails that a savepoint took back are still there.
    """

    def __init__(self, count: int, expected: int) -> None:
        super().__init__(
            _(
                "the queue has ${count} of the ${expected} mails of this transaction "
                "that it was given: was it restored, did a host take over that had not "
                "heard of everything, or did somebody release or delete them?",
                mapping={"count": count, "expected": expected},
            )
        )


def check_whole(tx: Transaction, batch: str, expected: int) -> None:
    """BatchTorn unless the queue has exactly the `expected` mails of a batch.

    A large batch is written in several transactions, and what savepoints take back is
    deleted in others; the queue may lose the last of them.
    """
    ((count,),) = _COUNT.rows(tx, voting=batch)
    if count != expected:
        raise BatchTorn(count, expected)


def forget_batches(tx: Transaction) -> None:
    """Forget those that have no mail in the queue any more."""
    mails = select(schedule.c.message_id).where(schedule.c.batch == table.c.batch)
    tx.execute(delete(table).where(~exists(mails)))


def running_batches(tx: Transaction) -> frozenset[str]:
    """Batches whose transaction certainly goes on: unvoted, of a process that runs.

    It may take long, as that of a newsletter does, and still be aborted.
    """
    rows = tx.execute(
        select(table.c.batch, table.c.process).where(table.c.voted == false())
    )
    return frozenset(batch for batch, process in rows if is_running(process))


def ending_batches(tx: Transaction, now: float) -> frozenset[str]:
    """Batches whose transaction may be ending now: its process is not surely gone.

    When its mail is older than IN_DOUBT_SECONDS, its end was cut off. Not those alone
    that have voted: of one on another machine nobody can tell that it goes on.
    """
    here = not database_of(tx).shared
    known = select(table.c.batch, table.c.process)
    may_end = [
        batch for batch, process in tx.execute(known) if not is_gone(process, here)
    ]
    recent = (
        select(schedule.c.batch)
        .join_from(schedule, message)
        .where(
            schedule.c.batch.in_(may_end),
            schedule.c.state == State.PREPARED.value,
            message.c.created > now - IN_DOUBT_SECONDS,
        )
        .distinct()
    )
    return frozenset(tx.execute(recent).scalars())


class Undecidable(MaildropError):
    """Nobody may decide about the mail of a batch; `why` says why not."""

    def __init__(self, batch: str, why: Undecided) -> None:
        super().__init__(f"the mail of batch {batch} {why}")
        self.why = why


def undecidable(batch: str, running: frozenset[str]) -> Undecided | None:
    """Why nobody may decide about the mail of a batch; None when somebody may."""
    if batch.startswith(MOVING):
        return BeingMoved()
    if batch in running:
        return StillRunning()
    return None


def check_decidable(tx: Transaction, batch: str) -> None:
    """Raises Undecidable."""
    if why := undecidable(batch, running_batches(tx)):
        raise Undecidable(batch, why)


def open_batches(tx: Transaction) -> list[Batch]:
    """What is known of batches with prepared mail."""
    mails = select(schedule.c.message_id).where(
        schedule.c.batch == table.c.batch, schedule.c.state == State.PREPARED.value
    )
    rows = tx.execute(
        select(table.c.batch, table.c.process, table.c.voted, table.c.log)
        .where(exists(mails))
        .order_by(table.c.batch)
    )
    return [
        Batch(batch, process, bool(voted), log) for batch, process, voted, log in rows
    ]


@dataclass(frozen=True)
class PreparedBatch:
    """Mail whose transaction has not ended, as far as the queue knows.

    `created` is in seconds since the epoch; `origin` names object, host and process.
    `running`: nobody needs to decide about it, or may.
    """

    batch: str
    mails: int
    created: float
    origin: str
    running: bool


def prepared_batches(tx: Transaction) -> list[PreparedBatch]:
    """Every prepared batch, the oldest first, for a person to decide about."""
    created = func.min(message.c.created)
    rows = tx.execute(
        select(schedule.c.batch, func.count(), created, func.min(message.c.origin))
        .join_from(schedule, message)
        .where(schedule.c.state == State.PREPARED.value, of_a_transaction())
        .group_by(schedule.c.batch)
        .order_by(created)
    )
    running = running_batches(tx)
    return [
        PreparedBatch(batch, mails, since, origin, batch in running)
        for batch, mails, since, origin in rows
    ]
