"""The lock of an SQLite database: one writes at a time, the others wait their turn."""

from __future__ import annotations

import contextlib
import math
import select
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from typing import TypeVar

from sqlalchemy import Connection

from ...wording import _
from .ownerror import OwnError

Result = TypeVar("Result")

BUSY_TIMEOUT_SECONDS = 30
_NO_LONGER = _("another program keeps it locked, and is no longer waited for")
TURN_SECONDS = 0.001
"""Between two tries to get a lock that another process has."""


class WriteInTurn:
    """Begins a transaction that writes, when nobody else does."""

    def __init__(self) -> None:
        # Which of the threads that wait for it is next is not defined. Four that write
        # all the time get as many turns each as they would in a line (measured).
        self._threads = threading.Lock()
        self._deadline = 0.0
        self.latest = math.inf
        """Nobody waits beyond it, a moment of the monotonic clock."""

    @contextlib.contextmanager
    def held(self) -> Iterator[None]:
        """Held around a transaction; sqlite3.OperationalError after too long a wait."""
        until = deadline()
        patience = min(until, self.latest) - time.monotonic()
        if not self._threads.acquire(timeout=max(0.0, patience)):
            if self.latest < until:
                raise OwnError(_NO_LONGER)
            raise OwnError(
                _(
                    "other threads of this process, or a program that they wait for, "
                    "kept it locked for ${seconds} s",
                    mapping={"seconds": BUSY_TIMEOUT_SECONDS},
                )
            )
        try:
            # The wait for other threads counts, too, or the last of many would wait
            # many times as long.
            self._deadline = until
            yield
        finally:
            self._threads.release()

    # SQLite itself waits longer and longer between two tries, up to a tenth of a
    # second: while a daemon delivered as fast as it could, a page in a hundred waited
    # for more than 56 ms; with these waits it is 8 ms (measured).
    def run(self, tx: Connection) -> None:
        """Begin; waits for other processes too, for BUSY_TIMEOUT_SECONDS in all."""
        connection = tx.connection.driver_connection
        assert isinstance(connection, sqlite3.Connection)
        connection.execute("PRAGMA busy_timeout = 0")
        try:
            # A deferred transaction that upgrades to a write fails at once with
            # SQLITE_BUSY_SNAPSHOT, whatever the timeout.
            once_unlocked(lambda: connection.execute("BEGIN IMMEDIATE"), self._until)
        except sqlite3.OperationalError as error:
            if is_locked(error) and self.latest < self._deadline:
                raise OwnError(_NO_LONGER) from None
            raise
        finally:
            # Readers have to wait, too, when the file is opened, closed or repaired.
            milliseconds = int(BUSY_TIMEOUT_SECONDS * 1000)
            connection.execute(f"PRAGMA busy_timeout = {milliseconds}")

    def _until(self) -> float:
        # `latest` may be set while somebody waits.
        return min(self._deadline, self.latest)


def deadline() -> float:
    """Until when to wait from now on, in seconds of the monotonic clock."""
    return time.monotonic() + BUSY_TIMEOUT_SECONDS


def once_unlocked(act: Callable[[], Result], until: Callable[[], float]) -> Result:
    """Act as soon as nobody else's lock is in the way; it is tried until `until()`.

    That is asked after each try, as it may change (monotonic seconds).
    """
    while True:
        try:
            return act()
        except sqlite3.OperationalError as error:
            if not is_locked(error) or time.monotonic() > until():
                raise
        pause(TURN_SECONDS)


def is_locked(error: sqlite3.Error) -> bool:
    """Whether somebody else's lock is in the way (Python 3.10 has no codes)."""
    return "locked" in str(error)


def pause(seconds: float) -> None:
    """Do nothing for that long."""
    # Not time.sleep, which fails where libfaketime sets the clock of a test.
    select.select([], [], [], seconds)
