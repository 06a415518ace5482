"""What may be mail to take, by its name, its size and its first octets."""

from __future__ import annotations

import contextlib
import os
from io import FileIO
from pathlib import Path

from ..message import InvalidMessage, mailfile
from ..queue.sqlite.database import files_of

LOCK_SUFFIX = ".lck"
LARGEST_FILE_BYTES = 256 * 2**20


def may_be_mail(name: str) -> bool:
    """Whether a file of this name in a drop directory, or an old spool, may be mail."""
    return not name.startswith(".") and not name.endswith(LOCK_SUFFIX)


def queue_files(queue: Path | None, directory: Path) -> frozenset[str]:
    """The names in a drop directory that are those of the queue's own files.

    They are not even opened: once any handle to a file is closed, this process has lost
    the locks that SQLite has on it (fcntl(2)), and others write as if it were not here.
    """
    if queue is not None:
        # A queue that is out of reach is not in a directory that was just read.
        with contextlib.suppress(OSError):
            if os.path.samefile(queue.parent, directory):
                return frozenset(each.name for each in files_of(queue))
    return frozenset()


def starts_as_mail(file: FileIO) -> bool:
    """Whether a file starts as a mail file does; leaves it at its start."""
    start = file.read(len(mailfile.START))
    file.seek(0)
    return start == mailfile.START


def check_size(found: os.stat_result) -> None:
    """InvalidMessage when a file is larger than any that is taken."""
    if found.st_size > LARGEST_FILE_BYTES:
        most = f"{LARGEST_FILE_BYTES // 2**20} MB that are taken"
        raise InvalidMessage(f"{found.st_size} bytes, more than the {most}")
