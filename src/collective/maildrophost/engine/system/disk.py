"""Files and names synced to disk, so that a power cut does not take them back."""

from __future__ import annotations

import os
from pathlib import Path


def sync(path: str | Path) -> None:
    """Return when the file at `path` is on disk; for a directory, the names in it.

    Raises OSError; then nobody knows whether it is.
    """
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def sync_names(directory: str | Path) -> bool:
    """Return True when the names in a directory are on disk; False: nobody knows.

    Not every file system can sync them, and not everybody who may write in a directory
    may read it, as this has to.
    """
    try:
        sync(directory)
    except OSError:
        return False
    return True


def make_directory(path: Path, mode: int = 0o700) -> None:
    """Make a directory if it is missing, and sync its name.

    Whoever syncs a file in it relies on that name. Raises OSError.
    """
    # Another process may be faster; it gives the same mode.
    path.mkdir(mode, exist_ok=True)
    sync_names(path.parent)
