"""A process of its own for the ledger's transactions, beside the one that sends."""

# In a thread of the sender they hardly ever overlapped with its work: SQLite gives the
# interpreter's lock up for every statement, and has to win it back from a busy event
# loop. A process made the whole daemon 1.4 times as fast (measured with two cores).
#
# Rules of this file:
# - The child is forked while no connection to the database is open and before the
#   event loop is there. It opens its own.
# - One request is under way at a time; its answer is what was committed.
# - Neither lives without the other. The pipe's end is the child's end; a child that is
#   gone ends the daemon, whose mail in flight comes back as after any crash.
# - The signals that the daemon heeds stay blocked in the child: it has to outlive the
#   verdicts of what is in flight.

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import pickle
import socket
import struct
from collections.abc import Iterator
from pathlib import Path

from ..errors import MaildropError
from ..queue import Queue, QueueError
from .books import Answer, Request, write_or_refuse

log = logging.getLogger("maildrop.delivery")

PROCESS_NAME = "maildrop-books"
_BUFFER_OCTETS = 1024 * 1024
_SIZE = struct.Struct("!Q")


class BookkeeperGone(MaildropError):
    """Without it no verdict can be written: the daemon must end."""


class Bookkeeper:
    """The parent's side: asks, and waits for the answers."""

    def __init__(self, pid: int, pipe: socket.socket) -> None:
        self._pid = pid
        self._pipe = pipe

    async def __call__(self, request: Request) -> Answer:
        """Have it written; raises QueueError when nothing of it was done."""
        loop = asyncio.get_running_loop()
        try:
            await loop.sock_sendall(self._pipe, _frame(request))
            size = bytearray(_SIZE.size)
            await self._fill(size)
            answer = bytearray(*_SIZE.unpack(size))
            await self._fill(answer)
        except (OSError, EOFError):
            raise BookkeeperGone(
                f"the process that writes to the queue ({self._pid}) is gone"
            ) from None
        # Written by the process that this one has forked, on a pipe without a name.
        found = pickle.loads(answer)  # noqa: S301
        if isinstance(found, QueueError):
            raise found
        assert isinstance(found, Answer)
        return found

    def close(self) -> None:
        """Let it finish what it is at and end."""
        if self._pipe.fileno() < 0:
            return
        self._pipe.close()
        with contextlib.suppress(ChildProcessError):
            os.waitpid(self._pid, 0)

    async def _fill(self, buffer: bytearray) -> None:
        loop = asyncio.get_running_loop()
        left = memoryview(buffer)
        while left:
            count = await loop.sock_recv_into(self._pipe, left)
            if not count:
                raise EOFError
            left = left[count:]


@contextlib.contextmanager
def bookkeeper(queue: Queue) -> Iterator[Bookkeeper]:
    """A bookkeeper for `queue`, which nobody uses at this moment."""
    queue.close()
    daemon = os.getpid()
    ours, its = socket.socketpair()
    for end in ours, its:
        end.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, _BUFFER_OCTETS)
    pid = os.fork()
    if pid == 0:
        status = 1
        try:
            ours.close()
            _keep(queue, its, daemon)
            status = 0
        except BaseException as error:
            # The type alone: its text may quote the message.
            log.critical("unexpected %s while writing", type(error).__name__)
        finally:
            # Nothing of the daemon that this process was forked from may run here.
            os._exit(status)
    its.close()
    ours.setblocking(False)
    keeper = Bookkeeper(pid, ours)
    try:
        yield keeper
    finally:
        keeper.close()


def _keep(queue: Queue, pipe: socket.socket, daemon: int) -> None:
    """The child's whole life: one answer for each request."""
    with contextlib.suppress(OSError):
        Path("/proc/self/comm").write_text(PROCESS_NAME)

    def orphaned() -> bool:
        return os.getppid() != daemon

    requests = pipe.makefile("rb")
    while len(size := requests.read(_SIZE.size)) == _SIZE.size:
        octets = requests.read(*_SIZE.unpack(size))
        answer: Answer | QueueError
        try:
            request = pickle.loads(octets)  # noqa: S301
            answer = write_or_refuse(queue, request, orphaned)
        except QueueError as error:
            answer = error
        try:
            pipe.sendall(_frame(answer))
        except OSError:
            return  # Nobody waits for it any more.


def _frame(value: object) -> bytes:
    octets = pickle.dumps(value, pickle.HIGHEST_PROTOCOL)
    return _SIZE.pack(len(octets)) + octets
