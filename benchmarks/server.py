"""A server that takes any mail and keeps none: `server PORT SECONDS COUNTERS`.

It answers what came in one piece `SECONDS` later, as a relay does that is so far away:
commands that a client sends together cost it one round trip. The file COUNTERS tells
how many bytes and how many messages have come, in eight bytes each.
"""

from __future__ import annotations

import asyncio
import mmap
import struct
import sys
from collections import deque
from pathlib import Path
from typing import cast

COUNTERS = struct.Struct("=QQ")

_GREETING = b"220 late.example.org ESMTP\r\n"
_EHLO = b"250-late.example.org\r\n250-PIPELINING\r\n250-8BITMIME\r\n250 DSN\r\n"
_OK, _GO_ON, _BYE = b"250 2.0.0 Ok\r\n", b"354 go on\r\n", b"221 2.0.0 Bye\r\n"
_END = b"\r\n.\r\n"


class Counters:
    """What came over all connections, in a file that others may read at any time."""

    def __init__(self, path: Path) -> None:
        path.write_bytes(COUNTERS.pack(0, 0))
        with path.open("r+b") as file:
            self._map = mmap.mmap(file.fileno(), COUNTERS.size)
        self._bytes = self._messages = 0

    def add(self, size: int, messages: int) -> None:
        self._bytes += size
        self._messages += messages
        COUNTERS.pack_into(self._map, 0, self._bytes, self._messages)


class Session(asyncio.Protocol):
    """One connection."""

    def __init__(self, late: float, counters: Counters) -> None:
        self._late = late
        self._counters = counters
        self._loop = asyncio.get_running_loop()
        self._unread = b""
        self._in_message = False
        self._messages = 0
        self._replies: deque[bytes] = deque()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # The class of uvloop's transport is not derived from asyncio's.
        self._transport = cast("asyncio.Transport", transport)
        self._answer(_GREETING)

    def data_received(self, data: bytes) -> None:
        before = self._messages
        self._unread += data
        replies = b"".join(self._read())
        self._counters.add(len(data), self._messages - before)
        if replies:
            self._answer(replies)

    def _read(self) -> list[bytes]:
        replies: list[bytes] = []
        while True:
            end = _END if self._in_message else b"\r\n"
            head, found, rest = self._unread.partition(end)
            if not found:
                return replies
            self._unread = rest
            if self._in_message:
                self._in_message = False
                self._messages += 1
                replies.append(_OK)
            else:
                replies.append(self._reply_to(head[:4].upper()))

    def _reply_to(self, verb: bytes) -> bytes:
        if verb == b"DATA":
            self._in_message = True
            return _GO_ON
        return {b"EHLO": _EHLO, b"QUIT": _BYE}.get(verb, _OK)

    def _answer(self, replies: bytes) -> None:
        self._replies.append(replies)
        self._loop.call_later(self._late, self._say_next)

    def _say_next(self) -> None:
        # In the order they were made, whatever order timers of one moment fire in.
        replies = self._replies.popleft()
        if not self._transport.is_closing():
            self._transport.write(replies)
            if replies.endswith(_BYE):
                self._transport.close()


async def _serve(port: int, late: float, counters: Counters) -> None:
    server = await asyncio.get_running_loop().create_server(
        lambda: Session(late, counters), "127.0.0.1", port, backlog=1000
    )
    await server.serve_forever()


def main(port: str, late: str, counters: str) -> None:
    serving = _serve(int(port), float(late), Counters(Path(counters)))
    try:
        import uvloop
    except ImportError:
        asyncio.run(serving)
    else:
        uvloop.run(serving)


if __name__ == "__main__":
    main(*sys.argv[1:])
