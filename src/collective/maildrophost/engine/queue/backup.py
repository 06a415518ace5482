"""A consistent copy of an SQLite queue, made while everything runs."""

from __future__ import annotations

import contextlib
import os
import sqlite3
from collections.abc import Callable
from pathlib import Path

from ..errors import MaildropError
from .sqlite import advice

STEP_PAGES = 500
"""Copied between two reports of progress (2 MB)."""


class BackupFailed(MaildropError):
    """No copy was made; the queue is as it was."""


def backup(source: Path, target: Path, progress: Callable[[int, int], None]) -> int:
    """Copy the queue at `source` to the new file `target` (mode 0600); its bytes.

    `progress` is told how many pages are done, and of how many. Raises BackupFailed:
    nothing is at `target` then that was not there before.
    """
    if target.exists():
        raise BackupFailed(f"{target} exists and is not overwritten: name a new file")
    partial = target.with_name(f"{target.name}.{os.getpid()}.partial")
    try:
        os.close(os.open(partial, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
        try:
            _copy(source, partial, progress)
            _check(partial)
            size = _on_disk(partial)
            os.link(partial, target)  # unlike a rename it never overwrites
        finally:
            partial.unlink(missing_ok=True)
        _sync(target.parent)
    except OSError as error:
        raise BackupFailed(f"{target}: {error.strerror}; no backup was made") from None
    except sqlite3.Error as error:
        raise BackupFailed(f"{target}: {advice(error)}; no backup was made") from None
    return size


def _copy(source: Path, target: Path, progress: Callable[[int, int], None]) -> None:
    with (
        contextlib.closing(_reader(source)) as queue,
        contextlib.closing(sqlite3.connect(target)) as copy,
    ):
        # One read transaction around all steps: what is committed meanwhile goes into
        # the WAL and is not seen. Without it every commit starts the copy anew.
        queue.execute("BEGIN")
        queue.execute("SELECT count(*) FROM sqlite_master").fetchone()
        queue.backup(
            copy,
            pages=STEP_PAGES,
            progress=lambda status, left, total: progress(total - left, total),
        )
        queue.execute("COMMIT")


def _reader(source: Path) -> sqlite3.Connection:
    return sqlite3.connect(
        f"{source.as_uri()}?mode=ro", uri=True, isolation_level=None, timeout=30
    )


def _check(copy: Path) -> None:
    """A copy that cannot be read is none."""
    with contextlib.closing(sqlite3.connect(copy)) as database:
        # As one file: a restore must not depend on a second one beside it.
        database.execute("PRAGMA journal_mode = DELETE")
        (found,) = database.execute("PRAGMA quick_check(1)").fetchone()
    if found != "ok":
        raise BackupFailed(f"the queue is damaged ({found}); no backup was made")


def _on_disk(path: Path) -> int:
    with path.open("rb") as file:
        os.fsync(file.fileno())
        return os.fstat(file.fileno()).st_size


def _sync(directory: Path) -> None:
    descriptor = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
