"""Who takes part in a transaction."""

from __future__ import annotations

from typing import Any


def participants(txn: Any) -> list[Any]:
    """The data managers that have joined."""
    # Not public, yet the only way to know who else takes part; without it nobody is
    # alone, which costs a second write, and is as safe.
    return list(getattr(txn, "_resources", ()))


def everybody_voted(txn: Any) -> bool:
    """Whether some of them may have committed by now."""
    voted = getattr(txn, "_voted", None) or {}
    return all(id(each) in voted for each in participants(txn) or [txn])
