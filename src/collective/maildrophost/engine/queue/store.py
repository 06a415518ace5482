"""Open the queue's database; hand out its short transactions."""

from __future__ import annotations

import os
import threading
import weakref
from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Connection, Engine
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, SQLAlchemyError

from ..errors import MaildropError
from . import sqlite, upgrades
from .errors import NewerSchema, QueueError, Refused
from .prepared import Prepared

Transaction = Connection
"""What every operation of the queue takes first: one open, short transaction."""


class Queue:
    """The mail queue of one database; safe to share between threads and over fork.

    Every failure of the database leaves `read` and `write` as QueueError; the
    transaction has then been rolled back and nothing of it has happened.
    """

    def __init__(self, url: str) -> None:
        self.name = make_url(url).render_as_string(hide_password=True)
        self.url = url
        self.path = sqlite.path_of(make_url(url))
        self._engine: Engine = sqlite.make_engine(url)
        self._driver_error: type[Exception] = self._engine.dialect.loaded_dbapi.Error
        self._file = sqlite.file_identity(self.path)
        # Threads of one process queue up here, fairly; SQLite's own waiting for its
        # file lock polls with ever longer pauses.
        self._writing = threading.Lock()
        _after_fork.add(self)

    @contextmanager
    def read(self) -> Iterator[Transaction]:
        """A transaction that sees one state of the queue."""
        with self._errors_named(), self._begun(sqlite.BEGIN_READ) as tx:
            yield tx

    @contextmanager
    def write(self) -> Iterator[Transaction]:
        """A transaction that is on disk when this block has ended without error."""
        with self._writing, self._errors_named():
            self._check_file()
            with self._begun(sqlite.BEGIN_WRITE) as tx:
                yield tx

    @property
    def replaced(self) -> bool:
        """Whether another file lies at the path: this queue will not come back."""
        found = sqlite.file_identity(self.path)
        return found is not None and found != self._file

    def close(self) -> None:
        """Close the connections; the next operation opens new ones."""
        self._engine.dispose()

    @contextmanager
    def _begun(self, statement: Prepared) -> Iterator[Transaction]:
        with self._engine.connect() as tx, tx.begin():
            # Not by an event of the engine: with one every statement costs twice.
            statement.run(tx)
            yield tx

    def _check_file(self) -> None:
        # SQLite goes on writing into a removed file, and loses all of it at the end.
        if sqlite.file_identity(self.path) != self._file:
            self._engine.dispose()
            raise QueueError(
                self.name,
                "its file was removed or replaced while it was in use: "
                "put it back and restart",
            )

    @contextmanager
    def _errors_named(self) -> Iterator[None]:
        try:
            yield
        except (DBAPIError, self._driver_error) as error:
            original = getattr(error, "orig", error)
            kind = Refused if sqlite.refuses(original) else QueueError
            # Not chained: the statement's text would follow with it.
            raise kind(self.name, sqlite.advice(original)) from None
        except (UnicodeError, OverflowError) as error:
            # A value that the driver cannot even write down; its text may quote it.
            words = f"a value cannot be stored ({type(error).__name__})"
            raise Refused(self.name, words) from None

    def _reset_after_fork(self) -> None:
        # A connection of the parent must not be used, nor closed, by the child.
        self._engine.dispose(close=False)
        self._writing = threading.Lock()


_after_fork: weakref.WeakSet[Queue] = weakref.WeakSet()


def _reset_queues() -> None:
    for queue in list(_after_fork):
        queue._reset_after_fork()


os.register_at_fork(after_in_child=_reset_queues)


def open_queue(url: str) -> Queue:
    """The queue at `url`, made or brought to this version's schema when needed.

    Raises QueueError, with the reason, when it can't be used.
    """
    try:
        name = make_url(url).render_as_string(hide_password=True)
    except ArgumentError:
        raise QueueError("?", "MAILDROP_QUEUE is not a database URL") from None
    if not name.startswith("sqlite:"):
        raise QueueError(
            name, "this version keeps queues on SQLite only: use sqlite:////PATH"
        )
    try:
        queue = Queue(url)
    except (OSError, ValueError) as error:
        raise QueueError(name, str(error)) from None
    try:
        _bring_up_to_date(queue)
    except (MaildropError, SQLAlchemyError):
        queue.close()
        raise
    return queue


def _bring_up_to_date(queue: Queue) -> None:
    with queue.read() as tx:
        current = upgrades.version(tx) == upgrades.VERSION
    if current:
        return
    try:
        with queue.write() as tx:
            upgrades.upgrade(tx)
    except NewerSchema as error:
        raise QueueError(queue.name, str(error)) from None
