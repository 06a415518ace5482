"""Who has an SQLite queue open: nobody makes another file in the place of theirs."""

# Rules of this file:
# - The lock is flock's: the kernel ends it with its last process, it is seen from every
#   container, and, unlike those of SQLite, it is not lost when another handle closes.
# - It lies beside the queue, under a name that `queue.db*` does not match: it stays
#   when somebody moves the queue away.
# - Where it cannot be had (no rights, a file system without flock) nobody is noticed,
#   and nobody is kept from anything.

from __future__ import annotations

import contextlib
import fcntl
import os
import threading
import time
import weakref
from collections.abc import Callable
from pathlib import Path

from ...system.flock import is_at, try_lock_where_possible, unlock
from ...system.ownership import belong_as
from ...wording import Unfit, _
from .lock import TURN_SECONDS, pause

PATIENCE_SECONDS = 0.5
"""How long to wait for somebody who is just making the queue, or looks whether anybody
has it open: either has the lock alone for far less."""


class Presence:
    """Shows others that a queue of this process has its file open.

    All who have it open share the lock. Whoever gets it alone knows: there are none.
    """

    def __init__(self, queue: Path) -> None:
        self._queue = queue
        self._lock = queue.with_name(f".{queue.name}.lock")
        self._threads = threading.Lock()
        self._handle: int | None = None
        self._close: Callable[[], object] = lambda: None
        self.known = False
        """Whether others see it, as far as they can; not after a fork or `leave`."""

    def enter(self, make: Callable[[], None]) -> None:
        """Be there from now on; `make` the queue's file when nobody else is.

        Raises Unfit when it is gone while others have it open.
        """
        with self._threads:
            self._take()
            try:
                if not self._is_there(self._handle):
                    make()
            except BaseException:
                self._leave()
                raise
            self._share()

    def renew(self) -> None:
        """Be there again, also when the lock has gone with the queue."""
        with self._threads:
            there = self._handle is not None and is_at(self._lock, self._handle)
            if not (self.known and there):
                self._leave()
                self._take()
                self._share()

    def leave(self) -> None:
        """Let others make a new file, as far as this queue is concerned."""
        with self._threads:
            self._leave()

    def after_fork(self) -> None:
        """Let go of the parent's lock in a child: it must not outlive the parent."""
        self._threads = threading.Lock()
        self._leave()

    def found(self) -> bool:
        """Whether the queue's file is there.

        Raises Unfit when it is gone while somebody has it open.
        """
        # Whoever only looks makes no lock either: it might belong to the wrong user.
        handle = None if _exists(self._queue) else _open(self._lock)
        try:
            return self._is_there(handle)
        finally:
            if handle is not None:
                unlock(handle)
                os.close(handle)

    def _is_there(self, handle: int | None) -> bool:
        """Whether the file is there; if not, `handle` has the lock alone."""
        until = time.monotonic() + PATIENCE_SECONDS
        while not _exists(self._queue):
            if handle is None or try_lock_where_possible(handle, fcntl.LOCK_EX):
                return False
            if time.monotonic() > until:
                raise Unfit(
                    _(
                        "its file was removed while others have it open: put it back, "
                        "and all goes on; a new one is made only when all of them have "
                        "ended ('fuser ${lock}' names them)",
                        mapping={"lock": self._lock},
                    )
                )
            pause(TURN_SECONDS)
        return True

    def _take(self) -> None:
        handle = _open(self._lock)
        if handle is None:
            handle = self._make_lock()
        if handle is not None:
            self._close = weakref.finalize(self, os.close, handle)
        self._handle = handle

    def _make_lock(self) -> int | None:
        """Make the lock's file, and open it; None where that cannot be done."""
        # Not through a link, which a user might have put there for root to follow.
        with contextlib.suppress(OSError):
            handle = os.open(self._lock, os.O_CREAT | os.O_EXCL | os.O_RDONLY, 0o600)
            # It has the owner of the files that SQLite makes beside the queue.
            nearest = self._queue if _exists(self._queue) else self._queue.parent
            belong_as(handle, nearest)
            return handle
        return _open(self._lock)  # another process was faster

    def _share(self) -> None:
        until = time.monotonic() + PATIENCE_SECONDS
        while self._handle is not None and not try_lock_where_possible(
            self._handle, fcntl.LOCK_SH
        ):
            if time.monotonic() > until:
                break  # whoever has it alone was suspended meanwhile
            pause(TURN_SECONDS)
        self.known = True

    def _leave(self) -> None:
        self.known = False
        self._handle = None
        self._close()


def _exists(path: Path) -> bool:
    # Since Python 3.14 Path.exists says no even where looking is not allowed.
    try:
        path.stat()
    except (FileNotFoundError, NotADirectoryError):
        return False
    return True


def _open(lock: Path) -> int | None:
    try:
        return os.open(lock, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except OSError:
        return None
