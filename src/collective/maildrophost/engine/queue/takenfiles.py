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
"""How long a file that was removed may come back, after a power cut for example."""

_REMEMBER = Statement(
    text("""
    INSERT INTO maildrop_taken_file (key, taken) VALUES (:key, :taken)
    ON CONFLICT (key) DO NOTHING
    """)
)


def remember(tx: Transaction, key: str, taken: float) -> bool:
    """Write down a key with its time; False when it is known, and stays as it is.

    Waits for another transaction that is just writing the same key.
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

    The file may be removed only after this transaction is on disk, and its key after
    the file, see `forget_files`: so neither a crash in between nor a second daemon
    takes it twice. Until then the key stays, however long that is: the machine that
    could tell whether the file is there may be away.
    """
    if not remember(tx, key, math.inf):
        tx.execute(update(files).where(files.c.key == key).values(taken=math.inf))
        return None
    return enqueue(tx, [message], now, origin)[0]


def forget_files(
    tx: Transaction, keys: Sequence[str], doubtful: Sequence[str], now: float
) -> None:
    """Forget the keys of removed files: another file may get the same key.

    The removal must be on disk, or a power cut could bring the file back as a new one.
    Where that is not certain it is `doubtful`: the key stays for TAKEN_FILE_DAYS more.
    """
    this = files.c.key == bindparam("ended")
    if keys:
        tx.execute(delete(files).where(this), [{"ended": key} for key in keys])
    if doubtful:
        dated = update(files).where(this).values(taken=now)
        tx.execute(dated, [{"ended": key} for key in doubtful])
