"""A consistent copy of an SQLite queue, made while everything runs."""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import re
import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path

from ...errors import MaildropError
from ...system.disk import sync, sync_names
from ...system.flock import is_at, try_lock
from .connection import connect
from .database import advice

STEP_PAGES = 500
"""Copied between two reports of progress (2 MB)."""


class BackupFailed(MaildropError):
    """No copy was made; the queue is as it was."""


def backup(source: Path, target: Path, progress: Callable[[int, int], None]) -> int:
    """Copy the queue at `source` to the new file `target` (mode 0600); its bytes.

    `progress` is told how many pages are done, and of how many. What killed backups to
    `target` have left is removed. Raises BackupFailed: then `target` is as it was.
    """
    try:
        if not target.parent.is_dir():
            # On a disk that is not mounted, say: then it must not be made here.
            raise BackupFailed(f"{target.parent} is no directory; no backup was made")
        with _alone_with(target), _at_fault(target):
            _remove_unfinished(target)
            size = _make(source, target, progress)
    except OSError as error:
        where = error.filename2 or error.filename or target
        raise BackupFailed(f"{where}: {error.strerror}; no backup was made") from None
    return size


@contextlib.contextmanager
def _at_fault(file: Path) -> Iterator[None]:
    """Turn SQLite's errors within the block into BackupFailed, with the `file`."""
    try:
        yield
    except sqlite3.Error as error:
        raise BackupFailed(f"{file}: {advice(error)}; no backup was made") from None


@contextlib.contextmanager
def _alone_with(target: Path) -> Iterator[None]:
    """Nobody else makes a backup to `target` meanwhile; BackupFailed if somebody does.

    The lock ends with its process. A PID would not tell whether that is gone: it is
    used again, and means another process in another container.
    """
    # Not on the copy: where flock is emulated (NFS, SMB) it would lock SQLite out.
    path = target.with_name(f"{target.name}.partial.lock")
    lock = os.open(path, os.O_CREAT | os.O_RDWR | os.O_NOFOLLOW, 0o600)
    try:
        if not (try_lock(lock, fcntl.LOCK_EX) and is_at(path, lock)):
            raise BackupFailed(f"another backup to {target} is being made")
        try:
            yield
        finally:
            path.unlink(missing_ok=True)
    finally:
        os.close(lock)


def _remove_unfinished(target: Path) -> None:
    """Remove what killed backups to `target` have left: copies, and SQLite's files."""
    name = re.compile(re.escape(target.name) + r"\.\d+\.partial(-journal|-wal|-shm)?")
    for path in list(target.parent.iterdir()):
        if name.fullmatch(path.name):
            # What is another user's may have to stay; it does not harm this backup.
            with contextlib.suppress(OSError):
                path.unlink()


def _make(source: Path, target: Path, progress: Callable[[int, int], None]) -> int:
    if target.exists():
        raise BackupFailed(f"{target} exists and is not overwritten: name a new file")
    partial = target.with_name(f"{target.name}.{os.getpid()}.partial")
    os.close(os.open(partial, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
    try:
        _copy(source, partial, progress)
        _check(partial)
        sync(partial)
        size = partial.stat().st_size
        with _having_links(target):
            os.link(partial, target)  # unlike a rename it never overwrites
        # Where that cannot be done, the copy is complete all the same.
        sync_names(target.parent)
    finally:
        partial.unlink(missing_ok=True)
    return size


@contextlib.contextmanager
def _having_links(target: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        if error.errno not in _NO_LINKS:
            raise
        raise BackupFailed(
            f"the file system of {target} has no hard links; no backup was made: make "
            "it on another one, and copy it there"
        ) from None


_NO_LINKS = (errno.EPERM, errno.EOPNOTSUPP, errno.ENOSYS)
"""What link(2) and FUSE say where there are no hard links."""


def _copy(source: Path, target: Path, progress: Callable[[int, int], None]) -> None:
    with (
        contextlib.closing(_reader(source)) as queue,
        contextlib.closing(sqlite3.connect(target)) as copy,
    ):
        # One read transaction around all steps: what is committed meanwhile goes into
        # the WAL and is not seen. Without it, every commit would restart the copy.
        with _at_fault(source):
            queue.execute("BEGIN")
            queue.execute("SELECT count(*) FROM sqlite_master").fetchone()
        queue.backup(
            copy,
            pages=STEP_PAGES,
            progress=lambda status, left, total: progress(total - left, total),
        )
        queue.execute("COMMIT")


def _reader(source: Path) -> sqlite3.Connection:
    with _at_fault(source):
        return connect(source, mode="ro", isolation_level=None, timeout=30)


def _check(copy: Path) -> None:
    """Raise BackupFailed for a copy that is damaged."""
    with contextlib.closing(sqlite3.connect(copy)) as database:
        # As one file: a restore must not depend on a second one beside it.
        database.execute("PRAGMA journal_mode = DELETE")
        (found,) = database.execute("PRAGMA quick_check(1)").fetchone()
    if found != "ok":
        raise BackupFailed(f"the queue is damaged ({found}); no backup was made")
