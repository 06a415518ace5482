"""What the kernel knows of a connection before the event loop tells it."""

from __future__ import annotations

import asyncio
import fcntl
import os
import select
import socket
import struct
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress

_UNSENT = 0x894B  # SIOCOUTQNSD of linux/sockios.h: Python has no name for it.
_DROPPED_AT_CLOSE = struct.pack("ii", 1, 0)


def something_came(transport: asyncio.BaseTransport) -> bool:
    """Whether the loop has something to read, if only that the connection ended."""
    poll = select.poll()
    poll.register(_number(transport), select.POLLIN)
    return bool(poll.poll(0))


def strand(transport: asyncio.BaseTransport) -> bool:
    """Keep from leaving what has not left by now; whether there is any.

    Only Linux tells: elsewhere all that was written may have left.
    """
    with suppress(OSError), own_socket(transport) as mine:
        if _unsent_octets(mine):
            # A relay that only speaks no more might still read it after the close.
            mine.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _DROPPED_AT_CLOSE)
            return True
    return False


@contextmanager
def own_socket(transport: asyncio.BaseTransport) -> Iterator[socket.socket]:
    """The transport's socket, which neither event loop lets anybody use directly."""
    with socket.socket(fileno=os.dup(_number(transport))) as mine:
        yield mine


def _unsent_octets(connection: socket.socket) -> int:
    if not sys.platform.startswith("linux"):
        return 0
    answer = fcntl.ioctl(connection, _UNSENT, bytes(struct.calcsize("i")))
    return int.from_bytes(answer, sys.byteorder)


def _number(transport: asyncio.BaseTransport) -> int:
    number: int = transport.get_extra_info("socket").fileno()
    return number
