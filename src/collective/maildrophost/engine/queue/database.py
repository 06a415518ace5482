"""What a kind of database does its own way: the contract of its module."""

from __future__ import annotations

import math
from collections.abc import AsyncGenerator, Sequence
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Protocol, cast

from sqlalchemy import Connection, Engine

from ..wording import Wording

_OPTION = "maildrop_database"
"""The option by which the connections of an engine know their database."""


class Begin(Protocol):
    """How a transaction begins."""

    def run(self, tx: Connection) -> object:
        """Raises the driver's error when it can't."""


class Database(Protocol):
    """One database of a kind, named by its URL.

    Where a kind has nothing of its own to do, it does what is done here.
    """

    begin_read: Begin
    """Begins a transaction that sees one state of everything."""
    begin_write: Begin
    """Begins one that may write, as soon as nobody else is in its way."""
    shared: bool
    """Whether others may go on with it while this machine is cut off from it."""
    path: Path | None
    """The file of the database; None for a server."""

    def exists(self) -> bool:
        """False where nobody has made it yet; a server is not asked.

        Raises Unfit or OSError, with the reason, when that cannot be told.
        """
        return True

    def engine(self) -> Engine:
        """An engine, whose connections write every commit to disk before they answer.

        Raises Unfit or OSError, with the reason, when it can't be used.
        """

    def close(self) -> None:
        """Called after its connections are closed; `check` may open it again."""
        return

    def writing(self) -> AbstractContextManager[object]:
        """Held while a transaction of this process writes."""
        return nullcontext()

    def wait_until(self, moment: float) -> None:
        """From now on nothing waits for another program beyond `moment`.

        By the monotonic clock, and in this process alone.
        """
        return

    def check(self) -> None:
        """Called before each transaction; Unfit when what it writes would be lost."""
        return

    @property
    def replaced(self) -> bool:
        """Whether another one is in its place: this queue will not come back."""
        return False

    def before_upgrade(self, tx: Connection) -> None:
        """Keeps others from changing the schema until `tx` ends."""
        return

    def lost(self, error: BaseException) -> bool:
        """Whether the connection is gone, so that a new one may still work."""
        return False

    def advice(self, error: BaseException) -> Wording:
        """What an error means for an operator, with the database's own words."""

    def refuses(self, error: BaseException) -> bool:
        """Whether an error is about the values, not the state of the database."""

    def any_text(self, tx: Connection) -> AbstractContextManager[object]:
        """A block in which damaged text can be read, too: as "(damaged) …"."""
        return nullcontext()  # A server stores none.

    def moment(self, tx: Connection, now: float) -> float:
        """The time that all who use it agree on: its own, or `now`."""
        return now

    def up_since(self, tx: Connection) -> float:
        """Since when, by that time, it has been up; -inf: it is never down."""
        return -math.inf

    def risks(self, tx: Connection) -> Sequence[str]:
        """What may lose mail that is written, each with what to do about it."""
        return ()

    def lacking(self, tx: Connection) -> Sequence[str]:
        """The rights that daily work needs and its user lacks."""
        return ()

    def take(
        self, tx: Connection, owner: str, ids: Sequence[int], now: float
    ) -> Sequence[int]:
        """Mark messages as claimed; returns their ids.

        Those with `ids`, or, where another daemon was faster, others of the same lanes
        that are due at `now`; fewer where there are not enough.
        """

    def wake(self, tx: Connection) -> None:
        """Have whoever listens to `rings` hear one, when `tx` has committed."""
        return

    def rings(self) -> AsyncGenerator[None, None] | None:
        """An item whenever mail may have become due; None: it does not tell.

        The first item says that listening has begun. Raises the driver's error when it
        ends.
        """
        return None

    def after_fork(self) -> None:
        """Forget what the parent's threads may have held."""
        return


def belongs_to(engine: Engine, database: Database) -> None:
    """Let the operations of `engine`'s transactions find `database`."""
    engine.update_execution_options(**{_OPTION: database})


def database_of(tx: Connection) -> Database:
    """The database that `tx` is a transaction of."""
    return cast(Database, tx.get_execution_options()[_OPTION])


def moment(tx: Connection, now: float) -> float:
    """Seconds since the epoch: the server's clock where there is one, else `now`.

    For leases and pace, which machines with clocks of their own compare.
    """
    return database_of(tx).moment(tx, now)


def up_since(tx: Connection) -> float:
    """The `moment` since which the queue can be used; -inf where it needs no server.

    Before that nobody could renew a lease.
    """
    return database_of(tx).up_since(tx)


def wake(tx: Connection) -> None:
    """Have the daemons of every machine look when `tx` has committed.

    Not every database can tell them: so whoever writes rings the `doorbells`, too,
    which reach the daemons of the same machine.
    """
    database_of(tx).wake(tx)
