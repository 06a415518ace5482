"""What a fault of the queue means for an action that somebody chose, translated."""

from __future__ import annotations

from typing import Any

from collective.maildrophost.engine.errors import MaildropError
from collective.maildrophost.engine.queue import Unheard
from collective.maildrophost.i18n import _, message


def in_one_go(error: MaildropError) -> Any:
    """For an action of one transaction: it was not done, or nobody knows."""
    if isinstance(error, Unheard):
        return message(error.caution)
    return _(
        "nothing_done", default="Nothing was done: ${reason}", mapping=_reason(error)
    )


def in_portions(error: MaildropError) -> Any:
    """For an action of several transactions: what was committed stays done."""
    if isinstance(error, Unheard):
        return message(error.caution)
    return _(
        "not_all_done",
        default="Not everything was done: ${reason}",
        mapping=_reason(error),
    )


def _reason(error: MaildropError) -> dict[str, Any]:
    return {"reason": message(error.wording)}
