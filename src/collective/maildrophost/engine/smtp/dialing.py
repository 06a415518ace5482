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

from ..patience import within
from .channel import Channel
from .lookup import look_up
from .tls import ResumingContext
from .wire import Wire


async def dial(
    channel: Channel, host: str, port: int, context: ResumingContext | None
) -> None:
    """Connect `channel`, with TLS from the first byte when there is a `context`.

    socket.gaierror for an unknown name; the last address's OSError (TimeoutError
    included), or ssl.SSLError, when none answers; ValueError for an impossible name.
    """
    found = await _in_time(look_up(host), channel.timeouts.connect)
    last_error: OSError = OSError("the name has no address")
    for family, _, _, _, address in found:
        try:
            await _connect(channel, _text(address), port, family)
            if context is not None:
                await _encrypt(channel, context, host)
            return
        except ssl.SSLError:
            raise
        except OSError as error:
            last_error = error
    raise last_error


async def _connect(channel: Channel, address: str, port: int, family: int) -> None:
    connecting = asyncio.get_running_loop().create_connection(
        lambda: Wire(channel), address, port, family=family
    )
    await _in_time(connecting, channel.timeouts.connect)


async def _encrypt(channel: Channel, context: ResumingContext, host: str) -> None:
    try:
        await _start_tls(channel, context, host)
    except (OSError, ValueError):
        # A relay may close the connection when it dislikes what is to be resumed.
        context.forget()
        raise


async def _start_tls(channel: Channel, context: ResumingContext, host: str) -> None:
    if channel.replies.pending:
        # What came in clear must not be taken for an answer that came over TLS.
        text = "the relay speaks in clear where TLS was to begin"
        raise ssl.SSLError(ssl.SSL_ERROR_SSL, text)
    await channel.start_tls(context, host)


def _text(address: tuple[Any, ...]) -> str:
    """The IP address, with the scope that a link-local one needs."""
    scope = address[3] if len(address) == 4 else 0
    return f"{address[0]}%{scope}" if scope else str(address[0])


async def _in_time(waiting: Any, seconds: float) -> Any:
    try:
        return await within(waiting, seconds)
    except TimeoutError:
        raise TimeoutError(f"no connection within {seconds:g} seconds") from None
