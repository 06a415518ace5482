"""Makes the starts, stops and restarts of a daemon take turns."""

# Rules of this file:
# - The lock is flock's, which ends with its process, on the configuration file: that is
#   there before the first start, and whoever works with the daemon can read it.
# - It keeps nobody from anything for good: where there are no locks, or when the other
#   command takes too long (it was suspended, say), a command goes on without.

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ..system.flock import try_lock_where_possible
from .waiting import comes_true


@contextmanager
def turn(configuration: Path, seconds: float) -> Iterator[None]:
    """A block that no other start, stop or restart with this configuration is in.

    Waits for the other one, for at most so many `seconds`.
    """
    try:
        # Without blocking, since it may be a pipe.
        handle = os.open(configuration, os.O_RDONLY | os.O_NONBLOCK)
    except OSError:
        yield
        return
    try:
        comes_true(
            lambda: try_lock_where_possible(handle, fcntl.LOCK_EX),
            seconds,
            "another start, stop or restart of this daemon has not ended: 'fuser "
            f"{configuration}' names it; it has up to {seconds:.0f} seconds…",
        )
        yield
    finally:
        os.close(handle)
