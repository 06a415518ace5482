"""A TCP connection to the first address of a host that answers."""

# Rules of this file:
# - The addresses of a name are tried one after the other, each with its own time: the
#   first may be a dead one (::1 of "localhost" above all). asyncio's happy eyeballs
#   would do it at once, but uvloop has none.
# - A relay that answers and fails at TLS is the relay: no other address is tried.

from __future__ import annotations

import asyncio
import ssl
from typing import Any

from .channel import Channel
from .lookup import look_up
from .phases import Timeouts
from .tls import server_name


async def dial(
    channel: Channel, host: str, port: int, context: ssl.SSLContext | None
) -> None:
    """Connect `channel`, with TLS from the first byte when there is a `context`.

    socket.gaierror for an unknown name; the last address's OSError (TimeoutError
    included), or ssl.SSLError, when none answers; ValueError for an impossible name.
    """
    found = await _within(look_up(host), channel.timeouts.connect)
    last_error: OSError = OSError("the name has no address")
    for family, _, _, _, address in found:
        try:
            await _dial_one(channel, host, port, family, _text(address), context)
            return
        except ssl.SSLError:
            raise
        except OSError as error:
            last_error = error
    raise last_error


async def _dial_one(
    channel: Channel,
    host: str,
    port: int,
    family: int,
    address: str,
    context: ssl.SSLContext | None,
) -> None:
    tls: dict[str, Any] = {}
    if context is not None:
        handshake = channel.timeouts.handshake
        tls = {
            "ssl": context,
            "server_hostname": server_name(host),
            "ssl_handshake_timeout": handshake,
        }
    connecting = asyncio.get_running_loop().create_connection(
        lambda: channel, address, port, family=family, **tls
    )
    await _within(connecting, _seconds(channel.timeouts, context))


def _seconds(timeouts: Timeouts, context: ssl.SSLContext | None) -> float:
    return timeouts.connect + (timeouts.handshake if context else 0)


def _text(address: tuple[Any, ...]) -> str:
    """The IP address, with the scope that a link-local one needs."""
    scope = address[3] if len(address) == 4 else 0
    return f"{address[0]}%{scope}" if scope else str(address[0])


async def _within(waiting: Any, seconds: float) -> Any:
    try:
        return await asyncio.wait_for(waiting, seconds)
    except asyncio.TimeoutError:
        # Python 3.10 knows two kinds of timeouts; this one is an OSError.
        raise TimeoutError(f"no connection within {seconds:g} seconds") from None
