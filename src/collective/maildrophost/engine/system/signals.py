"""Keeps the signals that the daemon heeds waiting while nothing can handle them."""

from __future__ import annotations

import contextlib
import signal
from collections.abc import Iterator

STOP = (signal.SIGTERM, signal.SIGINT)
HEEDED = {*STOP, signal.SIGHUP}


@contextlib.contextmanager
def kept_waiting() -> Iterator[None]:
    """Have signals wait while no event loop heeds them: they would kill the process.

    Those that still wait at the end of the block asked for nothing but that end.
    """
    before = signal.pthread_sigmask(signal.SIG_BLOCK, HEEDED)
    try:
        yield
    finally:
        while signal.sigpending() & HEEDED:
            signal.sigwait(HEEDED)
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def let_in() -> None:
    """Let signals through, those that have waited first: the handlers are there."""
    signal.pthread_sigmask(signal.SIG_UNBLOCK, HEEDED)


def keep_waiting() -> None:
    """Have signals wait from now on: the handlers are about to go."""
    signal.pthread_sigmask(signal.SIG_BLOCK, HEEDED)
