"""What waits in a spool of Products.MaildropHost: files that start with ``##To:``."""

from __future__ import annotations

import os
import stat
import time
from collections.abc import Iterable, Iterator
from pathlib import Path

from ..intake.candidates import LOCK_SUFFIX, may_be_mail, starts_as_mail
from ..intake.droppedfile import Identity, opened
from ..message import mailfile
from ..systemwords import reason
from .oldmail import Left, OldMail, found_at

LOCKED = (
    "is locked: its transaction has not ended, or was cut off. Remove {lock} to have "
    "it sent, or both files if the transaction was aborted"
)


def find(directory: Path) -> Iterator[OldMail | Left]:
    """The mails of a spool, the oldest first; OSError when it cannot be read.

    Other files, dot files and directories do not concern us.
    """
    with os.scandir(directory) as entries:
        names = {entry.name for entry in entries}
    found = sorted(candidates(directory, names), key=_age)
    seen = time.monotonic()
    for path, state in found:
        yield from _consider(path, state, seen, names)


def candidates(
    directory: Path, names: Iterable[str]
) -> Iterator[tuple[Path, os.stat_result]]:
    """The files that may be mail, by their names; OSError if one can't be examined."""
    for name in names:
        if not may_be_mail(name):
            continue
        found = found_at(directory / name)
        if found is not None and stat.S_ISREG(found.st_mode):
            yield directory / name, found


def _age(candidate: tuple[Path, os.stat_result]) -> tuple[int, str]:
    path, found = candidate
    return found.st_mtime_ns, path.name


def _consider(
    path: Path, found: os.stat_result, seen: float, names: set[str]
) -> Iterator[OldMail | Left]:
    try:
        with opened(str(path), found) as file:
            ours = starts_as_mail(file)
    except OSError as error:
        yield Left(path, reason(error))
        return
    lock = path.name + LOCK_SUFFIX
    if ours and lock in names:
        yield Left(path, LOCKED.format(lock=lock))
    elif ours:
        # The key of a dropped file: a daemon that watches this directory as well takes
        # nothing twice.
        key = Identity.of(str(path), found).key
        yield OldMail(lambda data: key, (path,), found, seen, mailfile.parse)
