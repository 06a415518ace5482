"""The keys of what came in from elsewhere, so that each comes in once."""

from __future__ import annotations

from sqlalchemy import text

from .prepared import Prepared
from .store import Transaction

_REMEMBER = Prepared(
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
