"""Who takes part in a transaction.

What `transaction` keeps of that is not public, yet the only way to know. Should it be
renamed one day, nobody counts as alone, which costs a second write, and everybody as
having voted: then mail of a transaction that breaks stays prepared until its fate is
known.
"""

from __future__ import annotations

from typing import Any

from transaction import Transaction


def participants(txn: Any) -> list[Any]:
    """The data managers that have joined; none where nobody can tell."""
    return list(getattr(txn, "_resources", ()))


def everybody_voted(txn: Any) -> bool:
    """Whether all have voted, so that some may have committed; True where unknown."""
    voted = getattr(txn, "_voted", None)
    if voted is None:
        # In an object that only stands for a Transaction nobody else takes part.
        return isinstance(txn, Transaction)
    return all(id(each) in voted for each in participants(txn))
