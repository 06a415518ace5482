"""What is wrong with a relay, translated as far as the words are the daemon's."""

# The queue keeps a fault as one text, with its phase in front.

from __future__ import annotations

from typing import Any

from collective.maildrophost.controlpanel.knownwords import KnownWords
from collective.maildrophost.i18n import _

_collected = _
"""For a sentence that the engine has as a Wording: the translation tool finds it there,
and must not find it here, too."""

_PHASES = {
    "token": _("phase_token", default="token"),
    "connect": _("phase_connect", default="connect"),
    "handshake": _("phase_handshake", default="handshake"),
    "greeting": _("phase_greeting", default="greeting"),
    "auth": _("phase_auth", default="auth"),
    "ehlo": "ehlo",
    "starttls": "starttls",
}
"""The phases in which the words may be the daemon's; a command keeps its name."""

SYSTEM = (
    _("Connection refused"),
    _("Connection reset by peer"),
    _("Connection timed out"),
    _("Network is unreachable"),
    _("No route to host"),
    _("No such file or directory"),
    _("Permission denied"),
)
"""What the operating system says."""

RESOLVER = (
    _("Name or service not known"),
    _("No address associated with hostname"),
    _("Non-recoverable failure in name resolution"),
    _("Temporary failure in name resolution"),
)
"""What the C library of most Linux systems says."""

CERTIFICATES = (
    _("certificate has expired"),
    _("certificate is not yet valid"),
    _("certificate is not yet valid or the system clock is incorrect"),
    _("certificate revoked"),
    _("self-signed certificate"),
    _("self-signed certificate in certificate chain"),
    _("unable to get issuer certificate"),
    _("unable to get local issuer certificate"),
    _("unable to verify the first certificate"),
)
"""What OpenSSL says of certificates that do not verify; newer ones name the clock."""

OTHER_NAMES = (
    _(
        "the relay's certificate does not verify: Hostname mismatch, certificate is "
        "not valid for '${host}'."
    ),
    _(
        "the relay's certificate does not verify: IP address mismatch, certificate is "
        "not valid for '${host}'."
    ),
)
"""What Python says of a certificate that is another host's."""

OTHER_NAMES_OF_A_TOKEN_SOURCE = (
    _(
        "its certificate does not verify: Hostname mismatch, certificate is not valid "
        "for '${host}'."
    ),
    _(
        "its certificate does not verify: IP address mismatch, certificate is not "
        "valid for '${host}'."
    ),
)

HANDSHAKES = (
    _("the relay speaks in clear where TLS was to begin"),
    _(
        "the relay finds no way of TLS that it shares with this machine, or takes only "
        "clients with a certificate: its log tells; use another port or relay"
    ),
    _(
        "the relay takes only clients with a certificate of their own, which is not "
        "supported: use another port or relay"
    ),
    _(
        "the relay does not agree to TLS 1.2 or later, which is required: update it, "
        "or use another relay"
    ),
    _(
        "the relay's TLS keys are too short for this machine: renew them, or use "
        "another relay"
    ),
    _("the relay has no certificate for the name in SMTP_HOST: use one that it has"),
    _("the relay met an error of its own in TLS: its log tells"),
)
"""What a TLS handshake that fails means."""

CONVERSATION = (
    _("no answer from the relay within ${seconds} seconds"),
    _("the relay closed the connection"),
    _("the connection is closed"),
    _("the connection was lost"),
    _("the connection was lost: ${reason}"),
    _("the relay spoke out of turn: ${reply}"),
    _("the relay sent no SMTP reply: ${words}"),
    _("the relay sent an endless line"),
    _("the relay sent an endless reply"),
    _("the relay sends more than anybody asked for"),
    _("the relay mixed ${first} and ${second} in a reply"),
    _("an unexpected ${kind} in the SMTP client"),
)
"""What may end a conversation at any time."""

WITHOUT_EHLO = (
    _("4.6.3 a signed part has 8-bit octets, but the relay refused EHLO"),
    _("4.6.7 ${address} needs SMTPUTF8, but the relay refused EHLO"),
)

_OF_RELAYS = KnownWords(
    *SYSTEM,
    *RESOLVER,
    *CONVERSATION,
    *WITHOUT_EHLO,
    _("no connection within ${seconds} seconds"),
    _("the name has no address"),
    _("the name ${host} was not found: ${reason}"),
    *HANDSHAKES,
    _("closed in the handshake"),
    *CERTIFICATES,
    *OTHER_NAMES,
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
    _("no login is offered before STARTTLS: use MAILDROP_TLS=2"),
    _("no common login mechanism: ${wanted} wanted, ${offered} offered"),
    _("none"),
    _("login as ${user} refused: ${reply}"),
    _("MAILDROP_TLS_CA_FILE ${file}: ${reason}"),
)

_OF_TOKENS = KnownWords(
    *SYSTEM,
    _("no token within ${seconds} seconds"),
    _("the answer has no access token in it"),
    _("an unexpected ${kind} while a token was asked for"),
)

_OF_A_TOKEN_SOURCE = KnownWords(
    *SYSTEM,
    *RESOLVER,
    *CERTIFICATES,
    _("no answer in time"),
    _("no token came of it (${kind})"),
    *OTHER_NAMES_OF_A_TOKEN_SOURCE,
    _("its certificate does not verify: ${reason}"),
    _(
        "another process has been asking for a token with ${path} for ${seconds} "
        "seconds"
    ),
    _(
        "the private_key of the service account is no RSA key without a passphrase: "
        "make a new one at the provider"
    ),
    _("the service account's key has no ${name}: make a new one at the provider"),
    _collected("expected UTF-8 text in ${path}"),
    _collected("expected a readable file: ${path}: ${reason}"),
    _collected("expected at most ${count} bytes in ${path}"),
    _collected("expected exactly one line in ${path}, which is empty"),
    _collected("expected exactly one line in ${path}"),
)
"""What comes after the host, the option or the file that it is about."""

_SOURCES = KnownWords(_("${host} through a proxy"))


def fault(text: str) -> Any:
    """A relay's fault, to be translated."""
    phase, colon, reason = text.partition(": ")
    if not colon or phase not in _PHASES:
        return text
    known = _of_tokens if phase == "token" else _OF_RELAYS.known
    return _(
        "relay_fault",
        default="${phase}: ${reason}",
        mapping={"phase": _PHASES[phase], "reason": known(reason)},
    )


def _of_tokens(text: str) -> Any:
    source, colon, reason = text.partition(": ")
    if not colon:
        return _OF_TOKENS.known(text)
    return _(
        "token_fault",
        default="${source}: ${reason}",
        mapping={
            "source": _SOURCES.known(source),
            "reason": _OF_A_TOKEN_SOURCE.known(reason),
        },
    )
