"""Whether each relay can be reached, trusted, and takes our login."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

from .finding import Finding, failed, ok

if TYPE_CHECKING:
    from ...config import Configuration, RelayAddress
    from ...delivery import Route
    from ...smtp import Connection, RelayFault

RELAY, TLS, LOGIN = "relay", "tls", "login"
"""Each has a line of its own."""
TIMEOUT_SECONDS = 20.0
"""For an answer, as a person waits; the daemon has more patience (RFC 5321 4.5.3.2)."""
WHOLE_SECONDS = 60.0
"""For a relay that takes its time with each of its answers."""
IMPLICIT_TLS_PORT = 465  # RFC 8314 section 3.3
TOKEN_SECONDS = 60.0
"""No request for a token takes longer (Endpoint.ask)."""


def check(configuration: Configuration) -> Iterator[Finding]:
    """A connection to each relay, up to the point where mail could be sent."""
    from ...config import ConfigurationError
    from ...delivery import Route
    from ...smtp import Timeouts
    from ...tokens import await_replacements

    patience = Timeouts.at_most(TIMEOUT_SECONDS)
    try:
        route = replace(Route.of(configuration), timeouts=patience)
    except ConfigurationError as error:
        yield failed(RELAY, str(error))
        return
    try:
        for relay in configuration.relays:
            yield from asyncio.run(_reach(route, relay))
    finally:
        # Even after a Ctrl-C: the daemon must not be left with a refresh token that the
        # provider has just replaced.
        await_replacements(TOKEN_SECONDS)


async def _reach(route: Route, relay: RelayAddress) -> list[Finding]:
    from ...smtp import RelayFault
    from ...system.patience import within

    try:
        # Not within the relay's time: a provider that is slow is not the relay's fault.
        await route.await_token(relay)
        connection = await within(route.open(relay), WHOLE_SECONDS)
    except RelayFault as fault:
        return [*_got_so_far(route, fault), _at_fault(route, fault)]
    except TimeoutError:
        # In most cases several addresses do not answer, one after the other.
        words = f"not ready for mail within {WHOLE_SECONDS:.0f} seconds"
        advice = _OPTIONS["connect"]
        return [failed(RELAY, f"{relay}: {words} (see {advice})")]
    findings = [
        ok(RELAY, f"{relay} would take mail"),
        ok(TLS, f"{relay}: {_protection(route, connection)}"),
        ok(LOGIN, f"{relay}: {_who_we_are(route)}"),
    ]
    await connection.quit()
    return findings


def _protection(route: Route, connection: Connection) -> str:
    if connection.tls_version:
        verified = "" if connection.verified else "not "
        return f"{connection.tls_version}, certificate {verified}verified"
    if route.security.tls:
        return "not offered, mail goes in clear (MAILDROP_TLS=2 requires it)"
    return "not wanted (MAILDROP_TLS=0)"


def _who_we_are(route: Route) -> str:
    return f"accepted as {route.login.user}" if route.login else "not wanted"


def _got_so_far(route: Route, fault: RelayFault) -> Iterator[Finding]:
    """What worked before the fault, where that is known."""
    if fault.phase.value in ("starttls", "auth"):
        yield ok(RELAY, f"{fault.relay} answers")
    if fault.phase.value == "auth" and route.security.demanded:
        yield ok(TLS, f"{fault.relay} speaks it")


def _at_fault(route: Route, fault: RelayFault) -> Finding:
    what = f"{fault.phase}: {fault.reason}{_hint(route, fault)}"
    subject = _SUBJECTS.get(fault.phase.value, RELAY)
    return failed(subject, f"{fault.relay}: {what}")


def _hint(route: Route, fault: RelayFault) -> str:
    from ...smtp.settings import TLS_IMPLICIT

    if _AN_OPTION in fault.reason:
        return ""  # a second one would mislead
    option = _OPTIONS.get(fault.phase.value)
    if fault.phase.value == "connect" and route.security.tls == TLS_IMPLICIT:
        # A relay that expects no TLS there may hang up, or wait for what is none.
        option = "SMTP_HOST, SMTP_PORT and MAILDROP_TLS"
    if fault.phase.value == "greeting" and _waits_for_tls(route, fault.relay):
        option = "MAILDROP_TLS, which has to be 3 for port 465"
    if route.tokens is not None and fault.phase.value == "auth":
        option = "MAILDROP_LOGIN, and whether its mailbox lets this client send"
    return f" (see {option})" if option else ""


def _waits_for_tls(route: Route, relay: RelayAddress) -> bool:
    """Whether both sides wait, each for the other one to begin."""
    from ...smtp.settings import TLS_IMPLICIT

    return relay.port == IMPLICIT_TLS_PORT and route.security.tls != TLS_IMPLICIT


_AN_OPTION = "MAILDROP_"
_SUBJECTS = {"token": LOGIN, "auth": LOGIN, "handshake": TLS, "starttls": TLS}
_OPTIONS = {
    "token": "MAILDROP_OAUTH_TOKEN_URL and the other MAILDROP_OAUTH_ options",
    "connect": "SMTP_HOST and SMTP_PORT",
    "greeting": "SMTP_HOST and SMTP_PORT",
    "ehlo": "MAILDROP_HELO_NAME, SMTP_HOST and SMTP_PORT",
    "handshake": "MAILDROP_TLS, MAILDROP_TLS_CA_FILE",
    "starttls": "MAILDROP_TLS",
    "auth": "MAILDROP_LOGIN and its password",
}
"""What an operator looks at first when a phase fails."""
