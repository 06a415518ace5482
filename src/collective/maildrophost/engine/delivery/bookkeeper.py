"""A process of its own for the ledger's transactions, beside the one that sends."""

# In a thread of the sender they hardly ever overlapped with its work: SQLite gives up
# the interpreter's lock for every statement, and has to win it back from a busy event
# loop. A process made the whole daemon 1.4 times as fast (measured with two cores).
#
# Rules of this file:
# - The child is forked while no connection to the database is open and before the
#   event loop is there. It opens its own.
# - One request is under way at a time; its answer is what was committed.
# - Neither lives without the other. The child ends when the pipe is closed; a child
#   that is gone ends the daemon, whose mail in flight comes back as after any crash.
# - The signals that the daemon heeds stay blocked in the child: it has to live until
#   the verdicts of what is in flight are written.

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import select
import socket
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from ..errors import MaildropError
from ..queue import Queue, QueueError
from ..unquoted import unquoted
from .books import Answer, Request, write_or_refuse
from .frames import frame, parts

log = logging.getLogger("maildrop.delivery")

PROCESS_NAME = "maildrop-books"
POLL_SECONDS = 0.005
_BUFFER_OCTETS = 1024 * 1024


class BookkeeperGone(MaildropError):
    """Without it no verdict can be written: the daemon must end."""


class Bookkeeper:
    """The parent's side: asks, and waits for the answers."""

    def __init__(self, queue: Queue, pid: int, pipe: socket.socket) -> None:
        self._queue = queue
        self._pid = pid
        self._pipe = pipe
        self._writes = False

    async def __call__(self, request: Request) -> Answer:
        """Have it written; raises QueueError, see `write`."""
        loop = asyncio.get_running_loop()
        self._writes = True
        try:
            for part in parts(request):
                await loop.sock_sendall(self._pipe, part)
            answer = await self._read()
        except (OSError, EOFError):
            raise BookkeeperGone(
                f"the process that writes to the queue ({self._pid}) is gone"
            ) from None
        self._writes = False
        if isinstance(answer, QueueError):
            raise answer
        assert isinstance(answer, Answer)
        return answer

    def close(self) -> None:
        """Let the child finish what it writes, and end.

        It is waited for until the queue's `latest`, see `Queue.wait_until`.
        """
        if self._pipe.fileno() < 0:
            return
        self._pipe.close()
        if self._writes:
            # A locked queue keeps it beyond MAILDROP_STOP_TIMEOUT.
            log.info(
                "the queue is still being written: the daemon waits for that before it "
                "ends"
            )
        with contextlib.suppress(ChildProcessError):
            while not os.waitpid(self._pid, os.WNOHANG)[0]:
                if time.monotonic() > self._queue.latest:
                    log.warning(
                        "the queue does not answer: pid %d goes on trying to write the "
                        "last verdicts, and the daemon no longer waits for it",
                        self._pid,
                    )
                    return
                # Not time.sleep, which fails where libfaketime sets the clock.
                select.select([], [], [], POLL_SECONDS)

    async def _read(self) -> object:
        coming = frame()
        try:
            while True:
                await self._fill(next(coming))
        except StopIteration as end:
            return end.value

    async def _fill(self, left: memoryview) -> None:
        loop = asyncio.get_running_loop()
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
            log.critical("unexpected error while writing", exc_info=unquoted(error))
        finally:
            # Nothing of the daemon that this process was forked from may run here.
            os._exit(status)
    its.close()
    ours.setblocking(False)
    keeper = Bookkeeper(queue, pid, ours)
    try:
        yield keeper
    finally:
        keeper.close()


def _keep(queue: Queue, pipe: socket.socket, daemon: int) -> None:
    """The child's whole life: one answer for each request."""
    with contextlib.suppress(OSError):
        Path("/proc/self/comm").write_text(PROCESS_NAME)

    def orphaned() -> bool:
        # A daemon that ends without waiting for this process closes its pipe first.
        return os.getppid() != daemon or _is_closed(pipe)

    for request in _requests(pipe):
        # The answer has no name here: its content would stay in memory until the next.
        if not _sent(pipe, _answer(queue, request, orphaned)):
            return  # Nobody waits for it any more.


def _is_closed(pipe: socket.socket) -> bool:
    """Whether the other end is closed; nothing else comes from it before an answer."""
    try:
        return not pipe.recv(1, socket.MSG_PEEK | socket.MSG_DONTWAIT)
    except BlockingIOError:
        return False
    except OSError:
        return True


def _answer(
    queue: Queue, request: Request, orphaned: Callable[[], bool]
) -> Answer | QueueError:
    try:
        return write_or_refuse(queue, request, orphaned)
    except QueueError as error:
        return error


def _sent(pipe: socket.socket, answer: Answer | QueueError) -> bool:
    try:
        for part in parts(answer):
            pipe.sendall(part)
    except OSError:
        return False
    return True


def _requests(pipe: socket.socket) -> Iterator[Request]:
    """What the daemon asks for, until it has closed its end, or is gone."""
    with contextlib.suppress(OSError, EOFError):
        while True:
            yield _request(pipe)


def _request(pipe: socket.socket) -> Request:
    coming = frame()
    try:
        while True:
            _fill(pipe, next(coming))
    except StopIteration as end:
        request: Request = end.value
        return request


def _fill(pipe: socket.socket, left: memoryview) -> None:
    while left:
        count = pipe.recv_into(left)
        if not count:
            raise EOFError
        left = left[count:]
