"""A new token is written into its file: whole or not at all, only for its owner."""

# Rules of this file:
# - The new file is locked for as long as its writer lives. One that is not locked was
#   left by a writer that was killed: a name or a PID could not tell.
# - What a killed writer has left may be the only token that the provider still takes.
#   It is removed when a newer one is in place, not before.

from __future__ import annotations

import fcntl
import glob
import os
import tempfile
from contextlib import suppress
from pathlib import Path

from ..secrets import Secret
from ..system.disk import sync_names
from ..system.flock import unlock
from ..system.ownership import belong_as

SUFFIX = ".partial"


def write(path: Path, token: Secret) -> None:
    """Put `token` into the file at `path`; after an OSError the old one is there."""
    handle, name = _new_beside(path)
    try:
        with open(handle, "w", encoding="utf-8") as file:
            file.write(f"{token.reveal()}\n")
            file.flush()
            belong_as(file.fileno(), path)
            os.fsync(file.fileno())
            # Before it is closed, which ends its lock.
            os.replace(name, path)
            # A power cut must not bring back what the provider has taken back.
            sync_names(path.parent)
            # A reload forks, and the child lives as long as the daemon.
            unlock(file.fileno())
    except BaseException:
        with suppress(OSError):
            os.unlink(name)
        raise
    _remove_unfinished(path)


def _new_beside(path: Path) -> tuple[int, str]:
    """A new file, open and locked."""
    while True:
        handle, name = tempfile.mkstemp(SUFFIX, f".{path.name}.", path.parent)
        # Where nothing can be locked nobody is taken for dead either.
        with suppress(OSError):
            fcntl.flock(handle, fcntl.LOCK_EX)
        if os.path.exists(name):
            return handle, name
        # Another process has found it before it was locked, and has removed it.
        os.close(handle)


def _remove_unfinished(path: Path) -> None:
    """Remove what killed writers have left beside `path`."""
    for unfinished in path.parent.glob(f".{glob.escape(path.name)}.????????{SUFFIX}"):
        with suppress(OSError):
            _remove_unless_locked(unfinished)


def _remove_unless_locked(path: Path) -> None:
    # For writing: only then does NFS give a lock that excludes all others.
    handle = os.open(path, os.O_RDWR | os.O_NOFOLLOW)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        path.unlink()
    finally:
        os.close(handle)
