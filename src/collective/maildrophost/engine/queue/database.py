"""What a kind of database does its own way: the contract of its module."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Protocol, cast

from sqlalchemy import Connection, Engine

from ..wording import Wording

_OPTION = "maildrop_database"
"""Under this name an engine's connections know their database."""


class Begin(Protocol):
    """How a transaction begins."""

    def run(self, tx: Connection) -> object:
        """Raises the driver's error when it can't."""


class Database(Protocol):
    """One database of a kind, named by its URL."""

    @property
    def begin_read(self) -> Begin:
        """Begins a transaction that sees one state of everything."""

    @property
    def begin_write(self) -> Begin:
        """Begins one that may write, as soon as nobody else is in its way."""

    shared: bool
    """Whether others may go on with it while this machine is cut off from it."""

    @property
    def path(self) -> Path | None:
        """The file that it is; None for a server."""

    def exists(self) -> bool:
        """False where nobody has made it yet; a server is not asked.

        Raises Unfit or OSError, with the reason, when that cannot be told.
        """

    def engine(self) -> Engine:
        """Makes the connections; every commit that they do is on disk.

        Raises Unfit or OSError, with the reason, when it can't be used.
        """

    def close(self) -> None:
        """After its connections; the next `check` may open it again."""

    def writing(self) -> AbstractContextManager[object]:
        """Held while a transaction of this process writes."""

    def wait_until(self, moment: float) -> None:
        """From now on nothing waits for another program beyond `moment`.

        Of the monotonic clock; not in a child that was forked before.
        """

    def check(self) -> None:
        """Before each transaction: raises Unfit when it would go to nowhere."""

    @property
    def replaced(self) -> bool:
        """Whether it is another one by now: this queue will not come back."""

    def before_upgrade(self, tx: Connection) -> None:
        """Keeps others from changing the schema until `tx` ends."""

    def lost(self, error: BaseException) -> bool:
        """Whether the connection is gone, so that another one may still do."""

    def advice(self, error: BaseException) -> Wording:
        """What an error means for an operator, with the database's own words."""

    def refuses(self, error: BaseException) -> bool:
        """Whether it is about the values, not about the state of the database."""

    def any_text(self, tx: Connection) -> AbstractContextManager[object]:
        """A block in which text that is none can be read, too: as "(damaged) …"."""

    def moment(self, tx: Connection, now: float) -> float:
        """The time that all who use it agree on: its own, or `now`."""

    def up_since(self, tx: Connection) -> float:
        """Since when, by that time, it could be used; -inf: it never is down."""

    def risks(self, tx: Connection) -> Sequence[str]:
        """What may lose mail that is written, each with what to do about it."""

    def lacking(self, tx: Connection) -> Sequence[str]:
        """The rights that daily work needs and its user has not got."""

    def take(
        self, tx: Connection, owner: str, ids: Sequence[int], now: float
    ) -> Sequence[int]:
        """Mark messages as claimed, those with `ids` or others; the ids of those.

        Others, of the same lanes and due at `now`, where somebody was faster; fewer
        where there are none.
        """

    def wake(self, tx: Connection) -> None:
        """Have whoever listens to `rings` hear one, when `tx` has committed."""

    def rings(self) -> AsyncGenerator[None, None] | None:
        """An item whenever mail may have become due; None: nobody tells.

        The first item says that listening has begun. Raises the driver's error when it
        ends.
        """

    def after_fork(self) -> None:
        """Forget what the parent's threads may have held."""


def belongs_to(engine: Engine, database: Database) -> None:
    """Let the operations of `engine`'s transactions find `database`."""
    engine.update_execution_options(**{_OPTION: database})


def database_of(tx: Connection) -> Database:
    """The database that `tx` is a transaction of."""
    return cast(Database, tx.get_execution_options()[_OPTION])
