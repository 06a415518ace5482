"""The order in which the recipients of a message are shown."""

from __future__ import annotations

from collections.abc import Iterable

from collective.maildrophost.engine.queue import RecipientRecord, RecipientState

_FIRST = (
    RecipientState.FAILED,
    RecipientState.DEFERRED,
    RecipientState.PENDING,
    RecipientState.SENT,
)


def in_order(recipients: Iterable[RecipientRecord]) -> list[RecipientRecord]:
    """First who makes a message failed or deferred: that is what is looked for."""
    return sorted(recipients, key=lambda each: _FIRST.index(each.state))
