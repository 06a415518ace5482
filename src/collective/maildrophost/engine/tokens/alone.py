"""Only one process at a time shows the endpoint the token that is in a file."""

# Rules of this file:
# - The file itself is locked: nothing is left beside it, it may be on a read-only
#   mount, and the kernel takes the lock from a killed process.
# - The process that has the lock may put another file in its place: then that counts.
# - A process that is stopped (Ctrl-Z) with the lock may have shown the token: so the
#   others do not show it, but say why.
# - Where nothing can be locked nobody is kept waiting.

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager

from ..system.flock import unlock
from .fault import TokenFault

WAIT_SECONDS = 30.0
"""Less than a token is waited for (see TokenSource), so that the reason is heard."""
POLL_SECONDS = 0.1


@contextmanager
def alone(option: str, path: str) -> Iterator[None]:
    """Keep other processes out while the file at `path` is used; TokenFault."""
    handle = _wait_for_lock(option, path)
    try:
        yield
    finally:
        if handle is not None:
            # A reload forks, and the child lives as long as the daemon.
            unlock(handle)
            os.close(handle)


def _wait_for_lock(option: str, path: str) -> int | None:
    """The file, open and locked; None where it cannot be."""
    until = time.monotonic() + WAIT_SECONDS
    while True:
        try:
            return _lock(path)
        except BlockingIOError:
            if time.monotonic() > until:
                raise TokenFault(
                    f"{option}: another process has been asking for a token with "
                    f"{path} for {WAIT_SECONDS:.0f} seconds",
                    permanent=False,
                ) from None
        except OSError:
            return None  # its reader will say what is wrong with it
        time.sleep(POLL_SECONDS)


def _lock(path: str) -> int:
    handle = _open(path)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        if not os.path.samestat(os.fstat(handle), os.stat(path)):
            raise BlockingIOError
    except BaseException:
        os.close(handle)
        raise
    return handle


def _open(path: str) -> int:
    try:
        # For writing: only then does NFS give a lock that excludes all others.
        return os.open(path, os.O_RDWR)
    except OSError:
        return os.open(path, os.O_RDONLY)
