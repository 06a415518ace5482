"""The connections of this process to the file of a queue: no fork inherits one."""

# Rules of this file:
# - SQLite counts its locks once for all connections of a process, and a fork copies the
#   count without the kernel's locks behind it. What the child opens then locks nothing:
#   whoever is the last to close the file removes the log that the child goes on writing
#   to (sqlite.org/howtocorrupt.html, section 2.6).
# - So all of them are closed before a fork; whoever wants one waits until that is over.
# - One that is in use for longer than a fork waits is inherited. The child neither uses
#   nor closes it, and refuses its file for good.
# - Another program that is executed inherits nothing, and needs none of this.

from __future__ import annotations

import contextlib
import logging
import os
import sqlite3
import threading
import time
import weakref
from pathlib import Path
from typing import Any, NoReturn

from sqlalchemy import QueuePool

from ...wording import _
from .lock import TURN_SECONDS, pause
from .ownerror import OwnError

PATIENCE_SECONDS = 2.0
"""How long a fork waits for the transactions of other threads to end."""

Identity = tuple[int, int]
"""A file's device and inode."""

_INHERITED = _(
    "this process was forked while a thread of its parent used the queue, and cannot "
    "write to it safely: nothing was queued; start the process again"
)

_turn = threading.RLock()
"""Held by the thread that opens a connection, or forks."""
_forking: list[int] = []
"""The threads that fork at this moment."""
_pools: weakref.WeakValueDictionary[int, Pool] = weakref.WeakValueDictionary()
_open: dict[int, tuple[weakref.ref[_Connection], Identity | None]] = {}
_inherited: list[_Connection] = []
_refused: set[Identity | None] = set()
_refuses_all = False


class Pool(QueuePool):
    """A pool whose idle connections are closed before a fork.

    Also after it has been disposed of: those that were in use come back to it.
    """

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        _pools[id(self)] = self


# SQLAlchemy calls a pool's logger by its class, and keeps quiet only those of its own
# name: each fork of a Zope would be told of in its log.
logging.getLogger(f"{__name__}.{Pool.__name__}").setLevel(logging.WARNING)


class _Connection(sqlite3.Connection):
    """Counts as open until SQLite has closed it."""

    def close(self) -> None:
        super().close()
        _open.pop(id(self), None)

    def __del__(self) -> None:
        if id(self) in _open:
            self.close()

    def leave_to_parent(self) -> None:
        """Even closing it would write to the parent's file."""
        _inherited.append(self)
        vars(self).update(close=_nothing, rollback=_nothing)
        vars(self).update(dict.fromkeys(("commit", "cursor", "execute"), _refuse))


def _nothing() -> None:
    """The parent does it."""


def _refuse(*_arguments: object) -> NoReturn:
    raise OwnError(_INHERITED)


def connect(path: Path, mode: str = "rw", **options: Any) -> sqlite3.Connection:
    """A connection to the file at an absolute path; a missing file is not made.

    An empty one would pass for the queue, and keep the queue from coming back.
    """
    uri = f"{path.as_uri()}?mode={mode}"
    with _turn:
        file = file_identity(path)
        if _refuses_all or file in _refused:
            _refuse()
        connection = sqlite3.connect(uri, uri=True, factory=_Connection, **options)
        _open[id(connection)] = weakref.ref(connection), file
    return connection


def file_identity(path: Path) -> Identity | None:
    """Device with inode, to notice that the file was removed or replaced."""
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino


def give_way() -> None:
    """Called before a transaction: wait for a fork that waits for all to end."""
    if _forking:
        with _turn:
            pass


def _close_all() -> None:
    until = time.monotonic() + PATIENCE_SECONDS
    _forking.append(threading.get_ident())
    if not _turn.acquire(timeout=PATIENCE_SECONDS):
        return
    while True:
        for reference in _pools.valuerefs():
            if pool := reference():
                pool.dispose()
        if not _open or time.monotonic() > until:
            return
        pause(TURN_SECONDS)


def _go_on() -> None:
    with contextlib.suppress(ValueError):  # the fork began before this was imported
        _forking.remove(threading.get_ident())
    _end_turn()


def _end_turn() -> bool:
    """End this thread's turn; False where that had not come."""
    with contextlib.suppress(RuntimeError):
        _turn.release()
        return True
    return False


def _begin_anew() -> None:
    global _turn, _refuses_all
    if _forking and not _end_turn():
        # Another thread was perhaps just opening a file: nobody knows which.
        _refuses_all = True
    _refused.update(file for _, file in _open.values())
    _refused.discard(None)
    for reference, _file in list(_open.values()):
        connection = reference()
        if connection is not None:
            connection.leave_to_parent()
    _open.clear()
    _forking.clear()
    _turn = threading.RLock()


os.register_at_fork(
    before=_close_all, after_in_parent=_go_on, after_in_child=_begin_anew
)
