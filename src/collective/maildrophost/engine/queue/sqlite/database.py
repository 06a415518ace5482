"""What is special about a queue on SQLite: durability, locking, file permissions."""

from __future__ import annotations

import contextlib
import os
import sqlite3
from collections.abc import Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any, cast

from sqlalchemy import Connection, Engine, bindparam, create_engine, event, text, update
from sqlalchemy.engine import URL, Dialect
from sqlalchemy.engine.interfaces import DBAPIConnection

from ...queueurl import EXPECTED
from ...system.disk import make_directory
from ...system.ownership import belong_as
from ...wording import Unfit, Wording, _, verbatim
from ..database import Database
from ..statement import Statement, among_ids
from ..states import State
from ..tables import schedule
from . import damage, lock
from .connection import Pool, connect, file_identity, give_way
from .filesystem import refuse_network_file_system
from .lock import WriteInTurn, deadline, once_unlocked
from .ownerror import OwnError
from .presence import Presence

BEGIN_READ = Statement(text("BEGIN"))
CHECKPOINT_PAGES = 4000
"""The WAL goes into the database every so many pages (16 MB). Many of them are the same
page again, so that rarer checkpoints write less."""

_TAKE = Statement(
    update(schedule)
    .where(among_ids(schedule.c.message_id))
    .values(state=State.SENDING.value, owner=bindparam("new_owner"))
)

_AWAY = _(
    "its file was removed or replaced while it was in use: put it back, and all goes "
    "on; a restart would leave its mail behind"
)
# By SQLite's words for its result codes (sqlite3_errstr), as Python 3.10 has no codes.
_ADVICE = {
    "is locked": _(
        "another program kept it locked for ${seconds} s",
        mapping={"seconds": lock.BUSY_TIMEOUT_SECONDS},
    ),
    "readonly database": _(
        "it or its disk is read-only: check its owner and permissions"
    ),
    "disk I/O error": _("the disk reports an error, or its quota is used up"),
    "disk image is malformed": _("the file is damaged: restore a backup"),
    "disk is full": _("the disk is full: free space on it"),
    "unable to open": _(
        "it cannot be opened: check its permissions, and its directory's"
    ),
    "is not a database": _("the file is not an SQLite database"),
}
_NO_TEXT = "Could not decode to UTF-8"


class SQLite(Database):
    """A queue in one file; see the contract in queue/database.py."""

    begin_read = BEGIN_READ
    begin_write: WriteInTurn
    shared = False

    def __init__(self, url: URL) -> None:
        self._url = url
        self.path = path_of(url)
        # This path may be a link, which may lead elsewhere later.
        self._named = Path(url.database or "")
        self._presence = Presence(self.path)
        self.begin_write = WriteInTurn()

    def exists(self) -> bool:
        found = self._presence.found()
        if not found:
            _refuse_link(self._named)
        return found

    def engine(self) -> Engine:
        refuse_network_file_system(self.path)
        if not self._named.parent.is_dir():
            # Nothing above it: where a file system is not mounted, a second queue would
            # be made.
            make_directory(self._named.parent)
        self._presence.enter(lambda: _make_file(self._named))
        engine = create_engine(
            self._url,
            hide_parameters=True,
            poolclass=Pool,
            pool_size=4,
            max_overflow=-1,
            connect_args={"timeout": lock.BUSY_TIMEOUT_SECONDS},
        )
        event.listen(engine, "connect", _set_up_connection)
        self._file = file_identity(self._named)
        event.listen(engine, "do_connect", self._connect)
        return engine

    def close(self) -> None:
        self._presence.leave()

    def writing(self) -> AbstractContextManager[None]:
        return self.begin_write.held()

    def wait_until(self, moment: float) -> None:
        self.begin_write.latest = moment

    def check(self) -> None:
        give_way()
        # SQLite would go on writing into a removed file, and all of that would be lost.
        away = file_identity(self._named) != self._file
        if away or not self._presence.known:
            self._presence.renew()
        if away:
            raise Unfit(_AWAY)

    @property
    def replaced(self) -> bool:
        found = file_identity(self._named)
        return found is not None and found != self._file

    def advice(self, error: BaseException) -> Wording:
        return advice(error)

    def refuses(self, error: BaseException) -> bool:
        about_values = sqlite3.IntegrityError, sqlite3.DataError, sqlite3.InterfaceError
        # For damaged text the driver raises an OperationalError, which quotes it.
        return isinstance(error, about_values) or _NO_TEXT in str(error)

    def any_text(self, tx: Connection) -> AbstractContextManager[None]:
        return damage.any_text(tx)

    def take(
        self, tx: Connection, owner: str, ids: Sequence[int], now: float
    ) -> Sequence[int]:
        # One transaction writes at a time: nobody can have been faster.
        _TAKE.run(tx, ids=ids, new_owner=owner)
        return ids

    def after_fork(self) -> None:
        self.begin_write = WriteInTurn()
        self._presence.after_fork()

    def _connect(
        self, _dialect: Dialect, _record: Any, where: list[str], options: dict[str, Any]
    ) -> DBAPIConnection:
        """A connection to the very file that this queue was opened on."""
        (path,) = where
        connection = connect(Path(path), **options)
        # The file may have gone since the check, and another one may have come.
        if file_identity(self._named) != self._file:
            connection.close()
            raise OwnError(_AWAY)
        return cast(DBAPIConnection, connection)


def path_of(url: URL) -> Path:
    """The database file; Unfit when the URL names none.

    Of a link it is the target: beside that SQLite has its other files, and so have we.
    """
    if not url.database or url.database == ":memory:":
        raise Unfit(
            _("the URL names no file: ${expected}", mapping={"expected": EXPECTED})
        )
    return Path(os.path.realpath(url.database))


_BESIDE = ("-wal", "-shm", "-journal")


def files_of(path: Path) -> list[Path]:
    """The database file, and what SQLite may have beside it (sqlite.org)."""
    return [path, *(path.with_name(path.name + each) for each in _BESIDE)]


def _make_file(path: Path) -> None:
    """Make a private file if there is none; SQLite gives -wal and -shm its mode."""
    _refuse_link(path)
    # A process that can't have the lock of presence.py may be faster.
    with contextlib.suppress(FileExistsError):
        handle = os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600)
        belong_as(handle, path.parent)
        os.close(handle)


def _refuse_link(path: Path) -> None:
    """Raise Unfit for a link: its target, which is missing, may have mail in it."""
    if path.is_symlink():
        raise Unfit(
            _(
                "it is a link to ${target}, which is not there: put it back, or remove "
                "the link",
                mapping={"target": os.path.realpath(path)},
            )
        )


def _set_up_connection(connection: sqlite3.Connection, _record: Any) -> None:
    # The driver would begin transactions as deferred; the queue begins them itself.
    connection.isolation_level = None
    (pages,) = connection.execute("PRAGMA page_count").fetchone()
    if pages == 0:
        # Can be set for a new file only, see housekeeping.py.
        connection.execute("PRAGMA auto_vacuum = INCREMENTAL")
    journal = _use_wal(connection)
    connection.execute("PRAGMA synchronous = FULL")
    (synchronous,) = connection.execute("PRAGMA synchronous").fetchone()
    if journal != "wal" or synchronous != 2:
        raise OwnError(
            _(
                "journal_mode is ${journal}, synchronous is ${synchronous}: commits "
                "would not be durable here",
                mapping={"journal": journal, "synchronous": synchronous},
            )
        )
    connection.execute("PRAGMA foreign_keys = ON")
    connection.execute(f"PRAGMA wal_autocheckpoint = {CHECKPOINT_PAGES}")
    # Deleted bodies are overwritten where that costs no write of its own: overwriting
    # each page on its way to the free list doubled what a settlement writes.
    connection.execute("PRAGMA secure_delete = FAST")


def _use_wal(connection: sqlite3.Connection) -> str:
    """Switch to write-ahead logging; returns the journal mode that this has led to."""
    # Of several that open a new database at once, SQLite lets one switch, and does not
    # have the others wait: they get an error.
    until = deadline()
    (journal,) = once_unlocked(
        lambda: connection.execute("PRAGMA journal_mode = WAL").fetchone(),
        lambda: until,
    )
    return str(journal)


def advice(error: BaseException) -> Wording:
    """What an SQLite error means for an operator, with SQLite's own words."""
    if isinstance(error, OwnError):
        return error.why
    words = str(error)
    meaning = next((_ADVICE[each] for each in _ADVICE if each in words), None)
    if meaning is None:
        return verbatim(words)
    return _("${meaning} (${words})", mapping={"meaning": meaning, "words": words})


def has_wal_reset_bug(version: tuple[int, ...]) -> bool:
    """Whether this SQLite can corrupt a WAL database (sqlite.org/wal.html#walresetbug).

    Since 3.7.0; fixed in 3.51.3, and in the maintained branches 3.44.6 and 3.50.7.
    """
    if (3, 44, 6) <= version < (3, 45) or (3, 50, 7) <= version < (3, 51):
        return False
    return (3, 7, 0) <= version <= (3, 51, 2)
