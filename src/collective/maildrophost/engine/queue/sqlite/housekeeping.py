"""The files of an SQLite queue, kept from growing for good: WAL and free pages."""

from __future__ import annotations

import contextlib
import sqlite3
from dataclasses import dataclass
from pathlib import Path

from ..errors import QueueError
from ..store import Queue
from .connection import connect
from .database import advice
from .lock import is_locked

LARGE_WAL_BYTES = 64 * 2**20
"""Four times the size at which SQLite checkpoints: a reader was long in the way."""
SPARE_PAGES = 4096
"""Free pages (16 MB) that a queue keeps, to be used again."""
SPARE_PART = 4
"""... or a quarter of all, when that is more."""
STEP_PAGES = 256
"""Given back to the file system in one short transaction."""
INCREMENTAL = 2
"""The mode of `PRAGMA auto_vacuum` in which a queue is made (database.py)."""


@dataclass(frozen=True)
class Room:
    """What a queue's files take."""

    pages: int
    free_pages: int
    page_bytes: int
    wal_bytes: int

    @property
    def pages_to_spare(self) -> int:
        """How many free pages are more than are likely to be used again soon."""
        return self.free_pages - max(SPARE_PAGES, self.pages // SPARE_PART)


def room(queue: Queue) -> Room | None:
    """What the queue's files take; None if that can't be seen now, or is a server's."""
    if queue.path is None:
        return None
    try:
        with _connected(queue.path) as connection:
            return _room(connection, queue.path)
    except sqlite3.Error:
        return None


def _room(queue: sqlite3.Connection, path: Path) -> Room:
    (pages,) = queue.execute("PRAGMA page_count").fetchone()
    (free,) = queue.execute("PRAGMA freelist_count").fetchone()
    (size,) = queue.execute("PRAGMA page_size").fetchone()
    return Room(pages, free, size, wal_bytes(path))


def wal_bytes(path: Path) -> int:
    """The size of the queue's write-ahead log, 0 without one."""
    return _file_bytes(path.with_name(path.name + "-wal"))


def _file_bytes(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0


def tidy(queue: Queue) -> bool:
    """Do one short step if one is due; returns whether to call again soon.

    For moments in which no mail is on its way. Where a reader or a writer is in the way
    it does nothing: nobody waits for it. Raises QueueError when it cannot, on a full
    disk for example: the queue is as it was. A server does all this itself.
    """
    if queue.path is None:
        return False
    try:
        with _connected(queue.path) as connection:
            return _step(connection, queue.path)
    except sqlite3.Error as error:
        if is_locked(error):
            return True
        raise QueueError(queue.name, advice(error)) from None


def empty_large_wal(queue: Queue) -> bool:
    """Empty the write-ahead log of a queue in a file, should it have become large.

    SQLite begins the log anew when all of it is in the database at the moment of a
    commit: never, while somebody goes on writing during each checkpoint. False where a
    reader or a writer is in the way: then nothing was done; call it again soon.
    """
    if queue.path is None or wal_bytes(queue.path) <= LARGE_WAL_BYTES:
        return True
    with contextlib.suppress(sqlite3.Error), _connected(queue.path) as connection:
        _truncate_wal(connection)
    return wal_bytes(queue.path) <= LARGE_WAL_BYTES


def _step(queue: sqlite3.Connection, path: Path) -> bool:
    if wal_bytes(path) > LARGE_WAL_BYTES:
        _truncate_wal(queue)
    now = _room(queue, path)
    if now.pages_to_spare > 0 and _can_shrink(queue):
        _give_back(queue, min(STEP_PAGES, now.pages_to_spare))
        now = _room(queue, path)
        if now.pages_to_spare > 0:
            return True
    if not _is_longer(path, now):
        return False
    # The file itself gets shorter only when all of the log is checkpointed: where a
    # reader is in the way, that is left to the next step.
    queue.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchall()
    return _is_longer(path, _room(queue, path))


def _truncate_wal(queue: sqlite3.Connection) -> None:
    # First all that needs no lock; then there is little left to do under one.
    queue.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchall()
    queue.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()


def _can_shrink(queue: sqlite3.Connection) -> bool:
    (mode,) = queue.execute("PRAGMA auto_vacuum").fetchone()
    return bool(mode == INCREMENTAL)


def _is_longer(path: Path, room: Room) -> bool:
    return _file_bytes(path) > room.pages * room.page_bytes


def _give_back(queue: sqlite3.Connection, pages: int) -> None:
    # As a script: execute() ends after the first page.
    queue.executescript(f"PRAGMA incremental_vacuum({pages})")


def _connected(path: Path) -> contextlib.closing[sqlite3.Connection]:
    """A connection of its own, because it waits for nobody."""
    return contextlib.closing(connect(path, timeout=0, isolation_level=None))
