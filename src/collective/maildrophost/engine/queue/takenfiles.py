"""The keys of what came in from elsewhere, files above all: each comes in once."""

from __future__ import annotations

import math
from collections.abc import Sequence

from sqlalchemy import bindparam, delete, text, update

from ..message import Message
from . import tables
from .enqueue import enqueue
from .statement import Statement
from .store import Transaction

files = tables.taken_file

TAKEN_FILE_DAYS = 7
"""How long a file that is gone may come back, after a power cut say."""

_REMEMBER = Statement(
    text("""
    INSERT INTO maildrop_taken_file (key, taken) VALUES (:key, :taken)
    ON CONFLICT (key) DO NOTHING
    """)
)


def remember(tx: Transaction, key: str, taken: float) -> bool:
    """Write down a key with its time; False when it is known, and stays as it is.

    Who else is just writing it is waited for.
    """
    return _REMEMBER.run(tx, key=key, taken=taken) > 0


def take_file(
    tx: Transaction,
    key: str,
    message: Message,
    now: float,
    origin: str = "drop directory",
) -> str | None:
    """Store the mail of a file, once for each `key`; None when it was taken.

    The file may go only after this transaction is on disk, and its key after the file,
    see `forget_files`: so a crash in between, or a second daemon, takes nothing twice.
    Until then the key stays: who could tell whether a file is there may be away.
    """
    if not remember(tx, key, math.inf):
        tx.execute(update(files).where(files.c.key == key).values(taken=math.inf))
        return None
    return enqueue(tx, [message], now, origin)[0]


def forget_files(
    tx: Transaction, keys: Sequence[str], doubtful: Sequence[str], now: float
) -> None:
    """Another file may have one of these keys from now on: those that had it are gone.

    The disk must know that they are, or a power cut could bring one back as new. Where
    it does not tell they are `doubtful`, and their keys stay for TAKEN_FILE_DAYS more.
    """
    this = files.c.key == bindparam("ended")
    if keys:
        tx.execute(delete(files).where(this), [{"ended": key} for key in keys])
    if doubtful:
        dated = update(files).where(this).values(taken=now)
        tx.execute(dated, [{"ended": key} for key in doubtful])
