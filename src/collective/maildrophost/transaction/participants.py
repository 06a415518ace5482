"""Who takes part in a transaction.

What `transaction` keeps of that is not public, yet the only way to know. Should it bear
other names one day, nobody is alone, which costs a second write, and everybody may have
voted: mail of a transaction that breaks then stays prepared until its fate is known.
"""

from __future__ import annotations

from typing import Any

from transaction import Transaction


def participants(txn: Any) -> list[Any]:
    """The data managers that have joined; none where nobody can tell."""
    return list(getattr(txn, "_resources", ()))


def everybody_voted(txn: Any) -> bool:
    """Whether some of them may have committed by now; True where nobody can tell."""
    voted = getattr(txn, "_voted", None)
    if voted is None:
        # In what only stands for a transaction nobody else takes part.
        return isinstance(txn, Transaction)
    return all(id(each) in voted for each in participants(txn))
