"""Tells the daemons of every machine that mail may have become due."""

from __future__ import annotations

from .store import Transaction


def wake(tx: Transaction) -> None:
    """Have them look when `tx` has committed, where the database can tell them.

    Elsewhere, and beside that, whoever writes rings the `doorbells` of his machine.
    """
    if tx.dialect.name == "postgresql":
        from .postgresql import notify

        notify(tx)
