"""The kernel's lock on a file: it ends with the last process that has it."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path


def locks(handle: int, kind: int) -> bool:
    """Whether `handle` has the lock of this `kind` now, at once.

    Raises OSError where a file system has no locks.
    """
    try:
        fcntl.flock(handle, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def locks_where_it_can(handle: int, kind: int) -> bool:
    """As `locks`; also where there are no locks: nobody is kept waiting for ever."""
    try:
        return locks(handle, kind)
    except OSError:
        return True


def is_at(path: Path, handle: int) -> bool:
    """Whether the file at `path` is still the one that `handle` has open.

    Whoever had the lock may have removed it, and somebody may have made a new one.
    """
    try:
        return os.path.samestat(path.stat(), os.fstat(handle))
    except OSError:
        return False
