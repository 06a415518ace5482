"""Tells the daemons of every machine that mail may have become due."""

from __future__ import annotations

from .database import database_of
from .store import Transaction


def wake(tx: Transaction) -> None:
    """Have them look when `tx` has committed, where the database can tell them.

    Not every database can: so whoever writes rings the `doorbells`, too, which reach
    the daemons of the same machine.
    """
    database_of(tx).wake(tx)
