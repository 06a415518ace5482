"""Whether each relay can be reached, trusted, and takes our login."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import TYPE_CHECKING

from .finding import Finding, failed, ok

if TYPE_CHECKING:
    from ...config import Configuration, RelayAddress
    from ...delivery import Route
    from ...smtp import RelayFault

SUBJECT = "relay"
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
        yield failed(SUBJECT, str(error))
        return
    try:
        for relay in configuration.relays:
            yield asyncio.run(_reach(route, relay))
    finally:
        # Given up, by Ctrl-C say: the daemon would be left with the one that was shown.
        await_replacements(TOKEN_SECONDS)


async def _reach(route: Route, relay: RelayAddress) -> Finding:
    from ...smtp import RelayFault

    try:
        connection = await asyncio.wait_for(route.open(relay), TIMEOUT_SECONDS)
    except RelayFault as fault:
        what = f"{fault.phase}: {fault.reason}{_hint(route, fault)}"
        return failed(SUBJECT, f"{relay}: {what}")
    except asyncio.TimeoutError:
        return failed(
            SUBJECT, f"{relay}: no answer within {TIMEOUT_SECONDS:.0f} seconds"
        )
    await connection.quit()
    return ok(SUBJECT, f"{relay} would take mail{_how(route)}")


def _how(route: Route) -> str:
    over_tls = ", over TLS" if route.security.tls >= 2 else ""
    return over_tls + (", login accepted" if route.login else "")


def _hint(route: Route, fault: RelayFault) -> str:
    option = _OPTIONS.get(fault.phase.value)
    if route.tokens is not None and fault.phase.value == "auth":
        option = "MAILDROP_LOGIN, and whether its mailbox lets this client send"
    return f" (see {option})" if option else ""


_OPTIONS = {
    "token": "MAILDROP_OAUTH_TOKEN_URL and the other MAILDROP_OAUTH_ options",
    "connect": "SMTP_HOST and SMTP_PORT",
    "handshake": "MAILDROP_TLS, MAILDROP_TLS_CA_FILE",
    "starttls": "MAILDROP_TLS",
    "auth": "MAILDROP_LOGIN and its password",
}
"""What an operator looks at first when a phase fails."""
