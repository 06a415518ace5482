"""Whether each relay can be reached, trusted, and takes our login."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import TYPE_CHECKING

from .finding import Finding, failed, ok

if TYPE_CHECKING:
    from ...config import Configuration, RelayAddress
    from ...delivery import Route
    from ...smtp import Connection, RelayFault

RELAY, TLS, LOGIN = "relay", "tls", "login"
"""Each has a line of its own."""
TIMEOUT_SECONDS = 20.0
"""For a person who waits; the daemon itself is more patient (RFC 5321 4.5.3.2)."""
TOKEN_SECONDS = 60.0
"""No request for a token takes longer (Endpoint.ask)."""


def check(configuration: Configuration) -> Iterator[Finding]:
    """A connection to each relay, up to the point where mail could be sent."""
    from ...config import ConfigurationError
    from ...delivery import Route
    from ...tokens import await_replacements

    try:
        route = Route.of(configuration)
    except ConfigurationError as error:
        yield failed(RELAY, str(error))
        return
    try:
        for relay in configuration.relays:
            yield from asyncio.run(_reach(route, relay))
    finally:
        # Given up, by Ctrl-C say: the daemon would be left with the one that was shown.
        await_replacements(TOKEN_SECONDS)


async def _reach(route: Route, relay: RelayAddress) -> list[Finding]:
    from ...patience import within
    from ...smtp import RelayFault

    try:
        # In its own time: the relay has nothing to do with a provider that is slow.
        await route.await_token(relay)
        connection = await within(route.open(relay), TIMEOUT_SECONDS)
    except RelayFault as fault:
        return [*_got_so_far(route, fault), _at_fault(route, fault)]
    except TimeoutError:
        seconds = f"{TIMEOUT_SECONDS:.0f} seconds"
        return [failed(RELAY, f"{relay}: no answer within {seconds}")]
    found = [
        ok(RELAY, f"{relay} would take mail"),
        ok(TLS, f"{relay}: {_protection(route, connection)}"),
        ok(LOGIN, f"{relay}: {_who_we_are(route)}"),
    ]
    await connection.quit()
    return found


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
    """What was well before it failed, where that is known."""
    if fault.phase.value in ("starttls", "auth"):
        yield ok(RELAY, f"{fault.relay} answers")
    if fault.phase.value == "auth" and route.security.demanded:
        yield ok(TLS, f"{fault.relay} speaks it")


def _at_fault(route: Route, fault: RelayFault) -> Finding:
    what = f"{fault.phase}: {fault.reason}{_hint(route, fault)}"
    subject = _SUBJECTS.get(fault.phase.value, RELAY)
    return failed(subject, f"{fault.relay}: {what}")


def _hint(route: Route, fault: RelayFault) -> str:
    option = _OPTIONS.get(fault.phase.value)
    if route.tokens is not None and fault.phase.value == "auth":
        option = "MAILDROP_LOGIN, and whether its mailbox lets this client send"
    return f" (see {option})" if option else ""


_SUBJECTS = {"token": LOGIN, "auth": LOGIN, "handshake": TLS, "starttls": TLS}
_OPTIONS = {
    "token": "MAILDROP_OAUTH_TOKEN_URL and the other MAILDROP_OAUTH_ options",
    "connect": "SMTP_HOST and SMTP_PORT",
    "handshake": "MAILDROP_TLS, MAILDROP_TLS_CA_FILE",
    "starttls": "MAILDROP_TLS",
    "auth": "MAILDROP_LOGIN and its password",
}
"""What an operator looks at first when a phase fails."""
