"""Identifies a dropped file, and tells whether that very file is still there."""

# Rules of this file:
# - Others may write into a drop directory: what was a file when it was looked at may be
#   anything by the time it is opened. So no link is followed, and opening it never
#   waits, neither for the other end of a FIFO nor for a lease (fcntl(2)).

from __future__ import annotations

import contextlib
import errno
import os
from collections.abc import Iterator
from dataclasses import dataclass
from io import FileIO

from .reports import storable

_NO_FILE = (errno.ELOOP, errno.EMLINK, errno.ENXIO)
"""The errors of opening a link (EMLINK on FreeBSD) or a socket (ENXIO)."""


@dataclass(frozen=True)
class Identity:
    """What tells this very file from others: the same again is the same mail."""

    path: str
    inode: int
    size: int
    changed_ns: int

    @classmethod
    def of(cls, path: str, found: os.stat_result) -> Identity:
        """From a stat of the file."""
        return cls(path, found.st_ino, found.st_size, found.st_mtime_ns)

    @property
    def key(self) -> str:
        """For the queue's record of taken files."""
        return f"{storable(self.path)}\n{self.inode} {self.size} {self.changed_ns}"


def condition(path: str, found: os.stat_result) -> tuple[Identity, int]:
    """What a report is about: a file with other permissions is worth another look."""
    return Identity.of(path, found), found.st_ctime_ns


def is_still(path: str, found: os.stat_result) -> bool:
    """Whether the very file is still at `path`, as it was.

    FileNotFoundError when nothing is there, another OSError when that cannot be told.
    """
    return condition(path, os.lstat(path)) == condition(path, found)


@contextlib.contextmanager
def opened(path: str, found: os.stat_result) -> Iterator[FileIO]:
    """The very file, to be read; FileNotFoundError when it is not there any more.

    BlockingIOError while somebody has a lease on it, who is asked to give it back.
    """
    descriptor = _open(path)
    try:
        if condition(path, os.fstat(descriptor)) != condition(path, found):
            raise not_there(path)
        # Unbuffered: a buffer would hold all of a large file once more.
        with FileIO(descriptor, closefd=False) as file:
            yield file
    finally:
        os.close(descriptor)


def _open(path: str) -> int:
    try:
        return os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except OSError as error:
        if error.errno in _NO_FILE:
            raise not_there(path) from None
        raise


def not_there(path: str) -> FileNotFoundError:
    """The error for a file that has gone, or is another one by now."""
    return FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), path)


def was_removed(kept: Identity, device: int) -> bool:
    """Whether a kept file was removed; False if its file system may only be away."""
    try:
        return Identity.of(kept.path, os.lstat(kept.path)) != kept
    except FileNotFoundError:
        with contextlib.suppress(OSError):
            return os.stat(os.path.dirname(kept.path)).st_dev == device
    except OSError:
        pass
    return False
