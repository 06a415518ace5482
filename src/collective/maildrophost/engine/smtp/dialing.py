"""A TCP connection to the first address of a host that answers."""

# Rules of this file:
# - The addresses of a name are tried one after the other: the first may be a dead one
#   (::1 of "localhost" above all). asyncio's happy eyeballs would do it at once, but
#   uvloop has none.
# - One that says nothing is left for the next one soon, else every connection would
#   take half a minute for it; it has all of its time when no other one answers.
# - Each may fail for a reason of its own, and the last one's is often the least: where
#   a machine has no IPv6 "Network is unreachable" ends every list.
# - A relay that answers and fails at TLS is the relay: no other address is tried. One
#   that does not greet is left for the next address (RFC 5321 section 5.1).

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, TypeAlias

from ..system.patience import within
from .channel import Channel, describe
from .lookup import look_up
from .tls import ResumingContext
from .wire import Wire

SOON_SECONDS = 2.0
"""A SYN that was lost has come again by then (RFC 6298: after one second)."""

Address: TypeAlias = tuple[int, str]
"""Its family, and the address as text."""


async def dial(
    channel: Channel,
    host: str,
    port: int,
    context: ResumingContext | None,
    addresses: Sequence[Address] = (),
) -> list[Address]:
    """Connect `channel`, with TLS from the first byte when there is a `context`.

    `addresses` are those of `host`, none: they are looked up. Returns those that are
    left, should the relay that answers be of no use. socket.gaierror for an unknown
    name; OSError with the reason of each address (TimeoutError included), or
    ssl.SSLError, when none answers; ValueError for an impossible name.
    """
    addresses = addresses or await _addresses(host, channel.timeouts.connect)
    reasons: dict[Address, OSError] = {}
    for address, seconds in _tries(addresses, channel.timeouts.connect, reasons):
        try:
            await _connect(channel, address, port, seconds)
            if context is not None:
                await _encrypt(channel, context, host)
            return _left(addresses, address, reasons)
        except ssl.SSLError:
            raise
        except OSError as error:
            reasons[address] = error
    raise _together(reasons)


async def _addresses(host: str, seconds: float) -> list[Address]:
    found = await _in_time(look_up(host), seconds)
    return [(each[0], _text(each[4])) for each in found]


def _left(
    addresses: Sequence[Address], used: Address, reasons: Mapping[Address, OSError]
) -> list[Address]:
    """Those that have not failed for good."""
    others = [each for each in addresses if each != used]
    return [e for e in others if e not in reasons or _is_late(reasons[e])]


def _tries(
    addresses: Sequence[Address], seconds: float, reasons: Mapping[Address, OSError]
) -> Iterator[tuple[Address, float]]:
    """Which address is tried for how long, by the `reasons` why others have failed."""
    if len(addresses) > 1 and seconds > SOON_SECONDS:
        yield from ((each, SOON_SECONDS) for each in addresses)
        addresses = [each for each in addresses if _is_late(reasons[each])]
    yield from ((each, seconds) for each in addresses)


def _is_late(error: OSError) -> bool:
    return isinstance(error, TimeoutError)


def _together(reasons: Mapping[Address, OSError]) -> OSError:
    """One error for all addresses, with the addresses where they differ."""
    words: dict[str, list[str]] = {}
    for (_, address), error in reasons.items():
        words.setdefault(describe(error), []).append(address)
    if len(words) > 1:
        each = (f"{', '.join(those)}: {why}" for why, those in words.items())
        return OSError("; ".join(each))
    return next(iter(reasons.values()), OSError("the name has no address"))


async def _connect(
    channel: Channel, address: Address, port: int, seconds: float
) -> None:
    family, text = address
    connecting = asyncio.get_running_loop().create_connection(
        lambda: Wire(channel), text, port, family=family
    )
    await _in_time(connecting, seconds)


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
