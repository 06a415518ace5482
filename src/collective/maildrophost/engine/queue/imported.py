"""How mail of another program's queue comes in, with what became of it there."""

from __future__ import annotations

from sqlalchemy import true, update

from ..message import Message
from . import tables
from .states import RecipientState, State
from .store import Transaction
from .takenfiles import forget_files, take_file

schedule, recipient = tables.schedule, tables.recipient


def import_mail(
    tx: Transaction,
    key: str,
    message: Message,
    now: float,
    origin: str,
    failed: str = "",
    possible_duplicate: bool = False,
) -> str | None:
    """Store a mail once for each `key`, see `take_file`; None when it was taken.

    `failed` says why it failed for good where it comes from: here it is failed, too,
    and `retry` sends it. `possible_duplicate`: it may have been sent there.
    """
    id = take_file(tx, key, message, now, origin)
    # No scan will come by to see whether its file has gone.
    forget_files(tx, [], [key], now)
    if id is None:
        return None
    if possible_duplicate:
        this = schedule.c.message_id == int(id)
        tx.execute(update(schedule).where(this).values(possible_duplicate=true()))
    if failed:
        _fail(tx, int(id), failed, now)
    return id


def _fail(tx: Transaction, key: int, reply: str, now: float) -> None:
    tx.execute(
        update(recipient)
        .where(recipient.c.message_id == key)
        .values(state=RecipientState.FAILED.value, reply=reply)
    )
    tx.execute(
        update(schedule)
        .where(schedule.c.message_id == key)
        .values(state=State.FAILED.value, due=now)
    )
