"""Open the queue's database; hand out its short transactions."""

from __future__ import annotations

import errno
import math
import os
import weakref
from collections.abc import AsyncGenerator, Iterator
from contextlib import ExitStack, aclosing, contextmanager

from sqlalchemy import Connection, Engine
from sqlalchemy.exc import DBAPIError, SQLAlchemyError, TimeoutError

from ..errors import MaildropError
from ..queueurl import QueueURL
from ..systemwords import reason_and_file
from ..wording import Wording, _, why
from . import upgrades
from .database import Begin, belongs_to
from .errors import NewerSchema, QueueError, Refused, Unheard
from .kinds import database_at

Transaction = Connection
"""What nearly every operation of the queue takes first: one open, short transaction."""


class Queue:
    """The mail queue of one database; safe to share between threads and over fork.

    Every failure of the database leaves `read` and `write` as QueueError: the
    transaction has then been rolled back and nothing of it has happened. Only with
    Unheard, from a database on another machine, nobody knows. A child that was forked
    amid a transaction on SQLite gets nothing but QueueError.
    """

    def __init__(self, url: str) -> None:
        self.name = QueueURL(url).redacted()
        self.url = url
        self.database = database_at(url)
        self.path = self.database.path
        """The file of a queue on SQLite; None elsewhere."""
        self.shared = self.database.shared
        """Whether others may go on with it while this machine is cut off from it.

        Then the answer to a commit may get lost.
        """
        self._engine: Engine = self.database.engine()
        belongs_to(self._engine, self.database)
        self._driver_error: type[Exception] = self._engine.dialect.loaded_dbapi.Error
        self.latest = math.inf
        """Until when this process waits, see `wait_until`."""
        _after_fork.add(self)

    @contextmanager
    def read(self) -> Iterator[Transaction]:
        """A transaction that sees one state of the queue."""
        with self._errors_named():
            self._check()
            with self._begun(self.database.begin_read) as tx:
                yield tx

    @contextmanager
    def write(self) -> Iterator[Transaction]:
        """A transaction that is on disk when this block has ended without error."""
        with self._errors_named(), self.database.writing():
            self._check()
            with self._begun(self.database.begin_write) as tx:
                yield tx
                self._commit(tx)

    @property
    def replaced(self) -> bool:
        """Whether another database is in its place: this queue will not come back."""
        return self.database.replaced

    def wait_until(self, moment: float) -> None:
        """Fail rather than wait for another program beyond `moment`.

        By the monotonic clock; for a process that is about to end.
        """
        self.latest = moment
        self.database.wait_until(moment)

    def rings(self) -> AsyncGenerator[None, None] | None:
        """An item whenever mail may have become due; None: its database can't tell.

        The first item says that listening has begun. Raises QueueError when it ends.
        """
        rings = self.database.rings()
        return rings and self._named(rings)

    async def _named(
        self, rings: AsyncGenerator[None, None]
    ) -> AsyncGenerator[None, None]:
        async with aclosing(rings):
            with self._errors_named():
                async for ring in rings:
                    yield ring

    def same_as(self, other: Queue) -> bool:
        """Whether both are known to be the same database."""
        if self.path and other.path:
            return self.path.samefile(other.path)
        return self.url == other.url

    def close(self) -> None:
        """Close the connections; the next operation opens new ones."""
        self._engine.dispose()
        self.database.close()

    @contextmanager
    def _begun(self, begin: Begin) -> Iterator[Transaction]:
        with self._connected(begin) as tx, tx.begin():
            try:
                yield tx
            except (DBAPIError, self._driver_error) as error:
                # SQLAlchemy sees only what breaks a connection in its own statements.
                if self.database.lost(getattr(error, "orig", error)):
                    tx.invalidate()
                raise

    def _commit(self, tx: Transaction) -> None:
        try:
            tx.commit()
        except (DBAPIError, self._driver_error) as error:
            original = getattr(error, "orig", error)
            if not self.database.lost(original):
                # SQLAlchemy takes it for ended, but it may still be open, with locks.
                tx.invalidate()
                raise
            why = self.database.advice(original)
            words = _(
                "nobody knows whether it was committed: ${reason}",
                mapping={"reason": why},
            )
            raise Unheard(self.name, words) from None

    @contextmanager
    def _connected(self, begin: Begin) -> Iterator[Connection]:
        """A connection whose transaction has begun.

        A pooled one may have died meanwhile: then all of them have, and nothing is
        lost.
        """
        with ExitStack() as connections:
            tx = connections.enter_context(self._engine.connect())
            try:
                self._begin(begin, tx)
            except self._driver_error as error:
                if not self.database.lost(error):
                    raise
                self._engine.dispose()
                tx = connections.enter_context(self._engine.connect())
                self._begin(begin, tx)
            yield tx

    def _begin(self, begin: Begin, tx: Connection) -> None:
        try:
            # Not in an event of the engine: with one, every statement costs double.
            begin.run(tx)
        except self._driver_error as error:
            if self.database.lost(error):
                # Else the pool tries to reset it, and logs at length that it can't.
                tx.invalidate()
            raise

    def _check(self) -> None:
        try:
            self.database.check()
        except ValueError as error:
            self._engine.dispose()
            raise QueueError(self.name, why(error)) from None

    @contextmanager
    def _errors_named(self) -> Iterator[None]:
        try:
            yield
        except TimeoutError as error:
            words = _("too many of its users wait: ${words}", mapping={"words": error})
            raise QueueError(self.name, words) from None
        except (DBAPIError, self._driver_error) as error:
            original = getattr(error, "orig", error)
            kind = Refused if self.database.refuses(original) else QueueError
            # Not chained: the statement's text would be shown with it.
            raise kind(self.name, self.database.advice(original)) from None
        except (UnicodeError, OverflowError) as error:
            # The driver cannot even encode a value, which the error's text may quote.
            words = _(
                "a value cannot be stored (${kind})",
                mapping={"kind": type(error).__name__},
            )
            raise Refused(self.name, words) from None

    def _reset_after_fork(self) -> None:
        # A connection of the parent must not be used, nor closed, by the child.
        self._engine.dispose(close=False)
        self.database.after_fork()


_after_fork: weakref.WeakSet[Queue] = weakref.WeakSet()


def _reset_queues() -> None:
    for queue in list(_after_fork):
        queue._reset_after_fork()


os.register_at_fork(after_in_child=_reset_queues)


def open_queue(url: str) -> Queue:
    """The queue at `url`, made or brought to this version's schema when needed.

    Raises QueueError, with the reason, when it can't be used.
    """
    with _url_named(url):
        queue = Queue(url)
    try:
        _bring_up_to_date(queue)
    except (MaildropError, SQLAlchemyError):
        queue.close()
        raise
    return queue


def exists(url: str) -> bool:
    """False for an SQLite queue that nobody has made yet.

    Whoever only looks must not make one: it would belong to the wrong user. Raises
    QueueError for a URL that cannot be used, where looking is not allowed, and when the
    file is gone while somebody has it open.
    """
    with _url_named(url):
        return database_at(url).exists()


def is_shared(url: str) -> bool:
    """Whether others may use that queue from their machines, see `Queue.shared`.

    Raises QueueError for a URL that cannot be used.
    """
    with _url_named(url):
        return database_at(url).shared


@contextmanager
def _url_named(url: str) -> Iterator[None]:
    try:
        yield
    except ValueError as error:
        raise QueueError(QueueURL(url).redacted(), why(error)) from None
    except OSError as error:
        raise QueueError(QueueURL(url).redacted(), _refused(error)) from None


def _refused(error: OSError) -> Wording:
    """Why the system refuses the file; what to do when that is for lack of rights."""
    words = reason_and_file(error)
    if error.errno != errno.EACCES:
        return words
    return _(
        "${words}: Zope, the daemon and maildropctl have to run as one user who may "
        "write there",
        mapping={"words": words},
    )


def check_schema(queue: Queue) -> None:
    """Raise QueueError when a later version of this software has been at the queue.

    Whoever has it open may go on with it; this version cannot open it anew.
    """
    with _newer_named(queue), queue.read() as tx:
        upgrades.check(tx)


def _bring_up_to_date(queue: Queue) -> None:
    with queue.read() as tx:
        current = upgrades.version(tx) == upgrades.VERSION
    if current:
        return
    with _newer_named(queue), queue.write() as tx:
        queue.database.before_upgrade(tx)
        upgrades.upgrade(tx)


@contextmanager
def _newer_named(queue: Queue) -> Iterator[None]:
    try:
        yield
    except NewerSchema as error:
        raise QueueError(queue.name, error.wording) from None
