"""What a fault of the queue means for what somebody wanted done, translated."""

from __future__ import annotations

from typing import Any

from collective.maildrophost.engine.errors import MaildropError
from collective.maildrophost.engine.queue import Unheard
from collective.maildrophost.i18n import _, message


def in_one_go(error: MaildropError) -> Any:
    """Of what is done in one transaction."""
    return _perhaps(error) or _(
        "nothing_done", default="Nothing was done: ${reason}", mapping=_reason(error)
    )


def in_portions(error: MaildropError) -> Any:
    """Of what is done in several: those that ended stay done."""
    return _perhaps(error) or _(
        "not_all_done",
        default="Not everything was done: ${reason}",
        mapping=_reason(error),
    )


def _perhaps(error: MaildropError) -> Any:
    if not isinstance(error, Unheard):
        return None
    # Whoever takes that for a failure may do it twice.
    return _(
        "perhaps_done",
        default="It may have been done, look before you do it again: ${reason}",
        mapping=_reason(error),
    )


def _reason(error: MaildropError) -> dict[str, Any]:
    return {"reason": message(error.wording)}
