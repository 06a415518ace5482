"""Forked children, and threads of their parents."""

from __future__ import annotations

import os
import select
import threading
import traceback
from contextlib import contextmanager, suppress

from waiting import PATIENCE_SECONDS

from collective.maildrophost.engine.queue import enqueue


def fork(work) -> int:
    """The process id of a child that does `work` and ends, with 1 if it fails."""
    pid = os.fork()
    if pid == 0:
        status = 1
        with suppress(BaseException):
            try:
                work()
                status = 0
            except BaseException:
                traceback.print_exc()
        os._exit(status)
    return pid


def status_of(pid) -> int:
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def in_child(work) -> int:
    return status_of(fork(work))


class Signal:
    """Between processes: one waits for what another one says."""

    def __init__(self) -> None:
        self._reading, self._writing = os.pipe()

    def say(self) -> None:
        os.write(self._writing, b"x")

    def wait(self) -> None:
        heard, _, _ = select.select([self._reading], [], [], PATIENCE_SECONDS)
        assert heard, "nothing is heard of it"
        os.read(self._reading, 1)


@contextmanager
def thread(work):
    running = threading.Thread(target=work)
    running.start()
    try:
        yield
    finally:
        running.join()


@contextmanager
def written_to(queue, hands):
    """While a thread writes to it, all in one transaction; set when that has ended."""
    writing, over, ended = (threading.Event() for _ in range(3))

    def write():
        with queue.write() as tx:
            enqueue(tx, [hands.mail()], hands.now)
            writing.set()
            over.wait(PATIENCE_SECONDS)
        ended.set()

    with thread(write):
        try:
            assert writing.wait(PATIENCE_SECONDS)
            yield ended
        finally:
            over.set()
