"""What the kernel knows of a connection before the event loop tells it."""

from __future__ import annotations

import asyncio
import errno
import fcntl
import os
import select
import socket
import struct
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress

_UNSENT = 0x894B  # SIOCOUTQNSD of linux/sockios.h: Python has no name for it.
_AN_INT = bytes(struct.calcsize("i"))
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
    try:
        if not _unsent_octets(_number(transport)):
            return False
        # A relay that still reads would get it after the close.
        with own_socket(transport) as mine:
            mine.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _DROPPED_AT_CLOSE)
    except OSError:
        return False
    return True


def seal(transport: asyncio.BaseTransport) -> None:
    """Let the kernel take nothing more: uvloop writes on until the socket is closed."""
    with suppress(OSError), own_socket(transport) as mine:
        mine.shutdown(socket.SHUT_WR)


@contextmanager
def own_socket(transport: asyncio.BaseTransport) -> Iterator[socket.socket]:
    """The transport's socket, which neither event loop lets anybody use directly.

    OSError when it is closed. It needs no descriptor: there may be none left.
    """
    if (number := _number(transport)) < 0:
        raise OSError(errno.EBADF, os.strerror(errno.EBADF))
    mine = socket.socket(fileno=number)
    try:
        yield mine
    finally:
        mine.detach()


def _unsent_octets(number: int) -> int:
    if number < 0 or sys.platform != "linux":
        return 0
    return int.from_bytes(fcntl.ioctl(number, _UNSENT, _AN_INT), sys.byteorder)


def _number(transport: asyncio.BaseTransport) -> int:
    number: int = transport.get_extra_info("socket").fileno()
    return number
