"""A TCP connection to the first address of a host that answers."""

# Rules of this file:
# - The addresses of a name are tried one after the other: the first may be a dead one
#   (::1 of "localhost" above all). asyncio's happy eyeballs would try all at once, but
#   uvloop has none.
# - A silent one is soon left for the next, else it would cost every connection half a
#   minute. If no other one answers, all silent ones are tried at once, with the whole
#   timeout: where a firewall drops what goes to the port, the sixteen addresses of a
#   large provider would take eight minutes one after the other.
# - Each may fail for a reason of its own, and the last one's often says least: where a
#   machine has no IPv6, "Network is unreachable" ends every list.
# - Where TLS itself fails the relay has answered: no other address is tried. One that
#   does not greet is left for the next address (RFC 5321 section 5.1).

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import aclosing
from time import monotonic
from typing import Any, TypeAlias

from ..system.patience import within
from .channel import Channel, describe
from .lookup import look_up
from .tls import ResumingContext
from .wire import Wire

SOON_SECONDS = 2.0
"""A SYN that was lost has been sent again by then (RFC 6298: after one second)."""

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

    `addresses` are those of `host`; without any, they are looked up. Returns those left
    to try, should the one that answers be of no use. socket.gaierror for an unknown
    name; OSError with the reason of each address (TimeoutError included), or
    ssl.SSLError, when none answers; ValueError for an impossible name.
    """
    addresses = addresses or await _addresses(host, channel.timeouts.connect)
    reasons: dict[Address, OSError] = {}
    answered = _answered(channel, addresses, port, reasons)
    async with aclosing(answered):
        async for address in answered:
            try:
                if context is not None:
                    await channel.start_tls(context, host)
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
    """The other addresses, without those that have failed for good."""
    others = [each for each in addresses if each != used]
    return [each for each in others if each not in reasons or _is_late(reasons[each])]


async def _answered(
    channel: Channel,
    addresses: Sequence[Address],
    port: int,
    reasons: dict[Address, OSError],
) -> AsyncGenerator[Address, None]:
    """Each that `channel` gets connected to, in turn; `reasons` tells of the others."""
    seconds = channel.timeouts.connect
    again = len(addresses) > 1 and seconds > SOON_SECONDS
    for address in addresses:
        try:
            await _connect(channel, address, port, SOON_SECONDS if again else seconds)
        except OSError as error:
            reasons[address] = error
        else:
            yield address
    late = [each for each in addresses if _is_late(reasons[each])] if again else []
    while late and (found := await _first_of(late, port, seconds, reasons)):
        address, connected = found
        try:
            await _take(channel, connected, seconds)
        except OSError as error:
            reasons[address] = error
        else:
            yield address
        late = [each for each in late if each != address and _is_late(reasons[each])]


async def _first_of(
    addresses: Sequence[Address],
    port: int,
    seconds: float,
    reasons: dict[Address, OSError],
) -> tuple[Address, socket.socket] | None:
    """The one that answers first when all are called at once; None: none does."""
    calls = {asyncio.create_task(_call(each, port)): each for each in addresses}
    try:
        return await _answer(calls, seconds, reasons)
    finally:
        for call in calls:
            call.cancel()
            call.add_done_callback(_hang_up)


async def _answer(
    calls: dict[asyncio.Task[socket.socket], Address],
    seconds: float,
    reasons: dict[Address, OSError],
) -> tuple[Address, socket.socket] | None:
    """The first one that answers; its call is taken out of `calls`."""
    waiting, end = set(calls), monotonic() + seconds
    while waiting:
        done, waiting = await asyncio.wait(
            waiting,
            timeout=max(0.0, end - monotonic()),
            return_when=asyncio.FIRST_COMPLETED,
        )
        if not done:
            reasons.update((calls[call], _too_late(seconds)) for call in waiting)
            break
        for call in done:
            try:
                connected = call.result()
            except OSError as error:
                reasons[calls[call]] = error
            else:
                return calls.pop(call), connected
    return None


def _hang_up(call: asyncio.Task[socket.socket]) -> None:
    if not call.cancelled() and call.exception() is None:
        call.result().close()


async def _call(address: Address, port: int) -> socket.socket:
    family, text = address
    # Only where the protocol is named does asyncio set TCP_NODELAY.
    connecting = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        connecting.setblocking(False)
        await asyncio.get_running_loop().sock_connect(connecting, (text, port))
    except BaseException:
        connecting.close()
        raise
    return connecting


def _is_late(error: OSError) -> bool:
    return isinstance(error, TimeoutError)


def _together(reasons: Mapping[Address, OSError]) -> OSError:
    """One error for all addresses, which names them where the reasons differ."""
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
        lambda: _wire(channel), text, port, family=family
    )
    await _in_time(connecting, seconds)


async def _take(channel: Channel, connected: socket.socket, seconds: float) -> None:
    taking = asyncio.get_running_loop().create_connection(
        lambda: _wire(channel), sock=connected
    )
    try:
        await _in_time(taking, seconds)
    except BaseException:
        connected.close()
        raise


def _wire(channel: Channel) -> Wire:
    return Wire(channel, channel.take_stock, channel.closing)


def _text(address: tuple[Any, ...]) -> str:
    """The IP address, with the scope that a link-local one needs."""
    scope = address[3] if len(address) == 4 else 0
    return f"{address[0]}%{scope}" if scope else str(address[0])


async def _in_time(waiting: Any, seconds: float) -> Any:
    try:
        return await within(waiting, seconds)
    except TimeoutError:
        raise _too_late(seconds) from None


def _too_late(seconds: float) -> TimeoutError:
    return TimeoutError(f"no connection within {seconds:g} seconds")
