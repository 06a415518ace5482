"""MAILDROP_PID_FILE, for old scripts; nothing of ours goes by it."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path

from .directories import UnusableDirectory


@contextlib.contextmanager
def pid_file(path: Path) -> Iterator[None]:
    """Name this process at `path` inside the block; raises UnusableDirectory."""
    own = f"{os.getpid()}\n"
    try:
        _write(path, own)
    except OSError as error:
        raise UnusableDirectory(f"MAILDROP_PID_FILE {path}: {error.strerror}") from None
    try:
        yield
    finally:
        # A second daemon may have written its own meanwhile.
        with contextlib.suppress(OSError):
            if path.read_bytes() == own.encode():
                _remove(path)


def _write(path: Path, text: str) -> None:
    try:
        # One that is left over may belong to somebody else, say root.
        path.unlink(missing_ok=True)
    except OSError:
        # Made for the daemon's user in a directory of somebody else's, say /run.
        _overwrite(path, text)
    else:
        path.write_text(text)


def _remove(path: Path) -> None:
    try:
        path.unlink()
    except OSError:
        _overwrite(path, "")  # Else a script would end what next gets this pid.


def _overwrite(path: Path, text: str) -> None:
    """Never what a link leads to."""
    flags = os.O_WRONLY | os.O_TRUNC | os.O_NOFOLLOW
    with open(os.open(path, flags), "w") as file:
        file.write(text)
