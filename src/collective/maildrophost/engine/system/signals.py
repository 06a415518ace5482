"""The signals that the daemon heeds wait while nobody can handle them."""

from __future__ import annotations

import contextlib
import signal
from collections.abc import Iterator

STOP = (signal.SIGTERM, signal.SIGINT)
HEEDED = {*STOP, signal.SIGHUP}


@contextlib.contextmanager
def kept_waiting() -> Iterator[None]:
    """Between start, loops and end a signal waits, instead of killing the process.

    What still waits at the end asked for nothing but that end.
    """
    before = signal.pthread_sigmask(signal.SIG_BLOCK, HEEDED)
    try:
        yield
    finally:
        while signal.sigpending() & HEEDED:
            signal.sigwait(HEEDED)
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def let_in() -> None:
    """Handlers are there: what has waited reaches them now."""
    signal.pthread_sigmask(signal.SIG_UNBLOCK, HEEDED)


def keep_waiting() -> None:
    """The handlers go: what comes from now on waits."""
    signal.pthread_sigmask(signal.SIG_BLOCK, HEEDED)
