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
