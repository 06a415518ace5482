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


def check(configuration: Configuration) -> Iterator[Finding]:
    """A connection to each relay, up to the point where mail could be sent."""
    for relay in configuration.relays:
        yield asyncio.run(_reach(configuration, relay))


async def _reach(configuration: Configuration, relay: RelayAddress) -> Finding:
    from ...delivery import Route
    from ...smtp import RelayFault

    route = Route.of(configuration)
    try:
        connection = await asyncio.wait_for(route.open(relay), TIMEOUT_SECONDS)
    except RelayFault as fault:
        return failed(SUBJECT, f"{relay}: {fault.phase}: {fault.reason}{_hint(fault)}")
    except asyncio.TimeoutError:
        return failed(
            SUBJECT, f"{relay}: no answer within {TIMEOUT_SECONDS:.0f} seconds"
        )
    await connection.quit()
    return ok(SUBJECT, f"{relay} would take mail{_how(route)}")


def _how(route: Route) -> str:
    over_tls = ", over TLS" if route.security.tls >= 2 else ""
    return over_tls + (", login accepted" if route.login else "")


def _hint(fault: RelayFault) -> str:
    option = _OPTIONS.get(fault.phase.value)
    return f" (see {option})" if option else ""


_OPTIONS = {
    "connect": "SMTP_HOST and SMTP_PORT",
    "handshake": "MAILDROP_TLS, MAILDROP_TLS_CA_FILE",
    "starttls": "MAILDROP_TLS",
    "auth": "MAILDROP_LOGIN and its password",
}
"""What an operator looks at first when a phase fails."""
