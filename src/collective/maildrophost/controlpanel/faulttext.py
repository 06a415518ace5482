"""What a fault of the queue means for what somebody wanted done, translated."""

from __future__ import annotations

from typing import Any

from collective.maildrophost.engine.errors import MaildropError
from collective.maildrophost.engine.queue import Unheard
from collective.maildrophost.i18n import _, message


def in_one_go(error: MaildropError) -> Any:
    """Of what is done in one transaction."""
    if isinstance(error, Unheard):
        return message(error.caution)
    return _(
        "nothing_done", default="Nothing was done: ${reason}", mapping=_reason(error)
    )


def in_portions(error: MaildropError) -> Any:
    """Of what is done in several: those that ended stay done."""
    if isinstance(error, Unheard):
        return message(error.caution)
    return _(
        "not_all_done",
        default="Not everything was done: ${reason}",
        mapping=_reason(error),
    )


def _reason(error: MaildropError) -> dict[str, Any]:
    return {"reason": message(error.wording)}
