"""What is wrong with a relay, translated as far as it is the daemon that says it."""

# The queue keeps a fault as the daemon's English text, with the phase in front of it.
# So it is known again by its template here; what nobody knows stays as it is, as do the
# relay's own words.

from __future__ import annotations

import re
from typing import Any

from collective.maildrophost.i18n import _

_PHASES = {
    "token": _("phase_token", default="token"),
    "connect": _("phase_connect", default="connect"),
    "handshake": _("phase_handshake", default="handshake"),
    "greeting": _("phase_greeting", default="greeting"),
    "auth": _("phase_auth", default="auth"),
    "ehlo": "ehlo",
    "starttls": "starttls",
}
"""Those in which it may be the daemon that says it; a command keeps its name."""

_REASONS = (
    _("Connection refused"),
    _("Connection reset by peer"),
    _("Connection timed out"),
    _("Network is unreachable"),
    _("No route to host"),
    _("no answer of the relay within ${seconds} seconds"),
    _("the relay closed the connection"),
    _("the connection was lost"),
    _("the connection was lost: ${reason}"),
    _("the name ${host} was not found: ${reason}"),
    _("the relay's certificate does not verify: ${reason}"),
    _("the relay does not offer STARTTLS, which MAILDROP_TLS=2 requires"),
    _(
        "plaintext was slipped in before the TLS handshake: somebody may sit between "
        "this machine and the relay"
    ),
    _(
        "the login would travel in clear: use MAILDROP_TLS=2 or 3, or allow it with "
        "MAILDROP_ALLOW_CLEARTEXT_LOGIN=1"
    ),
    _("no common login mechanism: ${wanted} wanted, ${offered} offered"),
    _("none"),
    _("login as ${user} refused: ${reply}"),
    _("MAILDROP_TLS_CA_FILE ${file}: ${reason}"),
    _("an unexpected ${kind} in the SMTP client"),
)


def fault(text: str) -> Any:
    """A relay's fault, to be translated."""
    phase, colon, reason = text.partition(": ")
    if not colon or phase not in _PHASES:
        return text
    return _(
        "relay_fault",
        default="${phase}: ${reason}",
        mapping={"phase": _PHASES[phase], "reason": _reason(reason)},
    )


def _reason(text: str) -> Any:
    for template, pattern in _PATTERNS:
        if found := pattern.fullmatch(text):
            # No deeper: a relay may write what looks like one reason in another.
            values = {
                name: _WHOLE.get(value, value)
                for name, value in found.groupdict().items()
            }
            return _(template, mapping=values)
    return text


def _pattern(template: str) -> re.Pattern[str]:
    parts = re.split(r"\$\{(\w+)\}", template)
    names = iter(parts[1::2])
    return re.compile(
        "".join(
            f"(?P<{next(names)}>.+?)" if place % 2 else re.escape(part)
            for place, part in enumerate(parts)
        )
    )


_WHOLE: dict[str, Any] = {str(each): each for each in _REASONS if "$" not in each}
_PATTERNS = [(each, _pattern(each)) for each in _REASONS]
