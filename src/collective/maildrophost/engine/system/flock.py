"""The kernel's lock on a file: it ends with the last process that has it."""

from __future__ import annotations

import contextlib
import fcntl
import os
from pathlib import Path


def try_lock(handle: int, kind: int) -> bool:
    """Take a lock of this `kind` without waiting; whether `handle` has it now.

    Raises OSError where a file system has no locks.
    """
    try:
        fcntl.flock(handle, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def try_lock_where_possible(handle: int, kind: int) -> bool:
    """As `try_lock`, but True where there are no locks: nobody waits for ever."""
    try:
        return try_lock(handle, kind)
    except OSError:
        return True


def unlock(handle: int) -> None:
    """End the lock, if there is one.

    To close `handle` does not do that while a child that was forked meanwhile has it,
    too.
    """
    with contextlib.suppress(OSError):
        fcntl.flock(handle, fcntl.LOCK_UN)


def is_at(path: Path, handle: int) -> bool:
    """Whether the file at `path` is still the one that `handle` has open.

    Whoever had the lock may have removed it, and somebody may have made a new one.
    """
    try:
        return os.path.samestat(path.stat(), os.fstat(handle))
    except OSError:
        return False
