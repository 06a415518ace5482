"""Why a test mail was refused, translated."""

from __future__ import annotations

from typing import Any

from collective.maildrophost.controlpanel.testmail import NoSiteAddress, PerhapsQueued
from collective.maildrophost.engine.errors import MaildropError
from collective.maildrophost.i18n import _, message


def refusal(error: Exception) -> Any:
    """What became of the mail, and why."""
    mapping = {"reason": _reason(error)}
    if isinstance(error, NoSiteAddress):
        return _(
            "test_without_sender",
            default="Nothing was queued: the site has no address to send from. Set its "
            "'From' address in Plone's Mail settings.",
        )
    if isinstance(error, PerhapsQueued):
        return _(
            "test_perhaps_queued",
            default="The mail may be queued, look before you send it again: ${reason}",
            mapping=mapping,
        )
    return _(
        "test_not_queued", default="Nothing was queued: ${reason}", mapping=mapping
    )


def _reason(error: BaseException) -> Any:
    """The words of an error, or of a cause that it repeats: ours can be translated."""
    if isinstance(error, MaildropError):
        return message(error.wording)
    cause = error.__cause__
    repeated = cause is not None and str(cause) == str(error)
    return _reason(cause) if repeated else str(error)
