"""The socket of a connection, read to its end before its loss is reported."""

# Rules of this file:
# - A relay that refuses and closes amid an upload resets the connection. If a write
#   meets the reset before the reader does, asyncio and uvloop lose what the relay said;
#   the kernel has it until the socket is closed.
# - A `Wire` is called by the transport itself, below TLS: when TLS passes the loss on,
#   the socket is closed already.

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable
from contextlib import suppress
from typing import Any, cast

from .kernel import own_socket

_UNHEARD_OCTETS = 65536
"""Room for a reply with all that TLS adds; after a reset nothing more comes in."""


class Wire(asyncio.Protocol):
    """Between a transport and its protocol, buffered or not.

    `losing` is called before the protocol hears that the connection ends, while the
    socket is open, `emptied` when the transport's buffer is empty again, and `closing`
    right before the socket is closed.
    """

    def __init__(
        self,
        protocol: asyncio.BaseProtocol,
        losing: Callable[[], None],
        closing: Callable[[], None],
        emptied: Callable[[], None] | None = None,
    ) -> None:
        self._above: Any = protocol
        self._losing = losing
        self._closing = closing
        self._emptied = emptied
        self._transport: asyncio.BaseTransport | None = None

    def slip_under(self, transport: asyncio.Transport) -> None:
        """Take the protocol's place at its transport; it gets its calls from here."""
        transport.pause_reading()  # It reads differently for each kind of protocol.
        self._transport = transport
        transport.set_protocol(self)
        transport.resume_reading()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport
        self._above.connection_made(transport)

    def data_received(self, data: bytes) -> None:
        if hasattr(self._above, "get_buffer"):
            _fill(self._above, data)
        else:
            self._above.data_received(data)

    def eof_received(self) -> bool | None:
        assert self._transport is not None
        # Not every TLS passes on an end of which the peer's TLS has said nothing.
        if not self._transport.is_closing():
            self._losing()
        return cast("bool | None", self._above.eof_received())

    def connection_lost(self, exc: Exception | None) -> None:
        try:
            if exc is not None:
                self._losing()
                if data := self._unheard():
                    self.data_received(data)
        finally:
            self._closing()
            self._above.connection_lost(exc)

    def pause_writing(self) -> None:
        self._above.pause_writing()

    def resume_writing(self) -> None:
        self._above.resume_writing()
        if self._emptied is not None:
            self._emptied()

    def _unheard(self) -> bytes:
        assert self._transport is not None
        with suppress(OSError), own_socket(self._transport) as mine:
            return mine.recv(_UNHEARD_OCTETS, socket.MSG_DONTWAIT)
        return b""


def _fill(protocol: asyncio.BufferedProtocol, data: bytes) -> None:
    left = memoryview(data)
    while left:
        buffer = memoryview(protocol.get_buffer(len(left)))
        count = min(len(buffer), len(left))
        buffer[:count] = left[:count]
        protocol.buffer_updated(count)
        left = left[count:]
