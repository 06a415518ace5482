"""What a power cut must not take back."""

from __future__ import annotations

import os
from pathlib import Path


def sync(path: str | Path) -> None:
    """Return when the file at `path` is on disk, of a directory the names in it.

    Raises OSError: then nobody knows.
    """
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def sync_names(directory: str | Path) -> bool:
    """Return when the names in a directory are on disk; False: nobody knows.

    Not every file system can, and who may write in a directory need not be able to
    read it.
    """
    try:
        sync(directory)
    except OSError:
        return False
    return True


def make_directory(path: Path, mode: int = 0o700) -> None:
    """Make it when it is missing, its name on disk: who syncs a file in it thinks so.

    Raises OSError.
    """
    # Another process may be faster; it gives the same mode.
    path.mkdir(mode, exist_ok=True)
    sync_names(path.parent)
