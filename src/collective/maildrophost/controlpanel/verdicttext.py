"""What became of a recipient, translated where the words are the daemon's."""

from __future__ import annotations

import re
from typing import Any

from collective.maildrophost.controlpanel.knownwords import KnownWords
from collective.maildrophost.controlpanel.relaytext import (
    CONVERSATION,
    SYSTEM,
    WITHOUT_EHLO,
)
from collective.maildrophost.i18n import _

_OF_A_RELAY = re.compile(r"[2-5][0-9][0-9](?: |$)")
"""How a relay's reply begins, whatever it says."""

_OURS = KnownWords(
    *SYSTEM,
    *CONVERSATION,
    *WITHOUT_EHLO,
    _("5.1.3 ${address} is no mail address"),
    _("5.3.4 the message has ${size} octets, the relay takes ${limit}"),
    _("5.6.3 a signed part has 8-bit octets, the relay takes 7 bits only"),
    _("5.6.7 ${address} needs SMTPUTF8, which the relay lacks"),
    _("the relay answered DATA with ${reply}"),
    _("the relay answered half the content: ${reply}"),
    _("the relay takes content for a refused sender"),
    _("the relay's reply makes no sense here: ${reply}"),
    _("the relay gave no verdict"),
    _("the queue has lost its content"),
    _("the queue refused the relay's words, see the daemon's log"),
    _("broken off: another daemon may have it by now"),
    _("internal error (${kind}), see the daemon's log"),
)

_GIVEN_UP = re.compile(r"given up after (\d+)(?:\.(\d+))? (\w+), at last: (.*)", re.S)
_AFTER = {
    "days": _(
        "given_up_days", default="given up after ${number} days, at last: ${reply}"
    ),
    "hours": _(
        "given_up_hours", default="given up after ${number} hours, at last: ${reply}"
    ),
    "minutes": _(
        "given_up_minutes",
        default="given up after ${number} minutes, at last: ${reply}",
    ),
    "seconds": _(
        "given_up_seconds",
        default="given up after ${number} seconds, at last: ${reply}",
    ),
}


def said(reply: str) -> Any:
    """The words of a verdict, to be translated."""
    found = _GIVEN_UP.fullmatch(reply)
    if found is None or found[3] not in _AFTER:
        return _said(reply)
    whole, tenths, unit, last = found.groups()
    sentence = _AFTER[unit]
    mapping = {"number": _number(whole, tenths), "reply": _said(last)}
    return _(sentence, default=sentence.default, mapping=mapping)


def _said(reply: str) -> Any:
    return reply if _OF_A_RELAY.match(reply) else _OURS.known(reply)


def _number(whole: str, tenths: str | None) -> Any:
    if tenths is None:
        return whole
    return _(
        "number_with_tenths",
        default="${whole}.${tenths}",
        mapping={"whole": whole, "tenths": tenths},
    )
