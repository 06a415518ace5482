"""MAILDROP_PID_FILE, for old scripts; nothing of ours goes by it."""

from __future__ import annotations

import contextlib
import os
import stat
from collections.abc import Iterator
from pathlib import Path

from .directories import UnusableDirectory

SOMETHING_ELSE = "is no pid file: name another one, or move that one away"
_LONGEST_BYTES = 64


def is_something_else(path: Path) -> bool:
    """Whether to replace it would cost somebody a file: the queue, say, or the log."""
    try:
        if not stat.S_ISREG(os.lstat(path).st_mode):
            return False
        with open(path, "rb") as file:
            said = file.read(_LONGEST_BYTES)
    except OSError:
        return False  # there is none, or it is another user's
    # A power cut can leave nothing or NULs in one.
    pid = said.strip(b"\0 \t\r\n")
    return bool(pid) and not pid.isdigit()


@contextlib.contextmanager
def pid_file(path: Path) -> Iterator[None]:
    """Name this process at `path` inside the block; raises UnusableDirectory."""
    if path.is_char_device():  # /dev/null, or a link to it: no pid file is wanted
        yield
        return
    own = f"{os.getpid()}\n"
    if is_something_else(path):
        raise UnusableDirectory(f"MAILDROP_PID_FILE {path} {SOMETHING_ELSE}")
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
        # Others may be able to make a link there meanwhile, which "x" does not follow.
        with open(path, "x") as file:
            file.write(text)


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
