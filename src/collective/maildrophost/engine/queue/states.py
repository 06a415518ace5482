"""The states of a message, and those of a recipient."""

from __future__ import annotations

from enum import Enum


class State(str, Enum):
    """Where a message stands."""

    PREPARED = "prepared"
    """Written by a transaction that has not ended."""
    QUEUED = "queued"
    """Waits for its first attempt."""
    DEFERRED = "deferred"
    """Was tried, waits for the next attempt."""
    SENDING = "sending"
    """Claimed by a daemon."""
    HELD = "held"
    """Kept back by an operator."""
    FAILED = "failed"
    """At least one recipient failed for good; kept until somebody acts."""
    SENT = "sent"
    """Every recipient was accepted; only the record is left."""


WAITING = (State.QUEUED, State.DEFERRED)
FINAL = (State.FAILED, State.SENT)
UNFINISHED = tuple(state for state in State if state not in FINAL)
IN_QUEUE = tuple(state for state in State if state is not State.SENT)
"""Of sent mail only the record is left."""


class RecipientState(str, Enum):
    """Where one recipient of a message stands."""

    PENDING = "pending"
    DEFERRED = "deferred"
    SENT = "sent"
    FAILED = "failed"
