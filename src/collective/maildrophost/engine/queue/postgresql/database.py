"""What is special about a queue on PostgreSQL: its transactions, its errors."""

# Rules of this file:
# - Nothing is set for a session: behind PgBouncer in transaction mode the next
#   transaction may be in another one.
# - No error's detail is repeated: it quotes the row, which is mail.

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence

import psycopg
from sqlalchemy import Connection, Engine, create_engine, event, text
from sqlalchemy.engine import URL
from sqlalchemy.exc import ArgumentError

from ...wording import Unfit, Wording, _, verbatim
from ..database import Database
from ..statement import Statement
from . import hosts, primaries
from .connection import OwnError, connect_to_listen, open_connection, with_defaults
from .rights import lacking
from .skiplocked import take

LOCK_SECONDS = 20
"""Less than ANSWER_SECONDS: whoever waits for a lock hears of it from the server."""
IDLE_SECONDS = 60
"""A transaction of ours that is idle for so long has lost its client, and others wait
for its locks."""
CHANNEL = "maildrop"
"""What is notified when mail may have become due; one name for all queues of a
database, since a ring too many costs nothing."""
_UPGRADE_LOCK = 0x6D61696C64726F70
"""The advisory lock of a schema upgrade: "maildrop" in ASCII."""

# One round trip, and only for this transaction.
_LIMITS = (
    f"SET LOCAL lock_timeout = '{LOCK_SECONDS}s'; "
    f"SET LOCAL idle_in_transaction_session_timeout = '{IDLE_SECONDS}s'"
)
BEGIN_READ = Statement(
    text(f"BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; {_LIMITS}")
)
# A server, a database or a role that is tuned for speed may have synchronous_commit
# off: then a commit is answered before it is on disk. Every other value waits for the
# disk, and says what else to wait for.
_DURABLE = (
    "SELECT set_config('synchronous_commit', 'on', true) "
    "WHERE current_setting('synchronous_commit') = 'off'"
)
# Not READ WRITE: a server that was made read-only would be written all the same, while
# another one takes over from it.
BEGIN_WRITE = Statement(
    text(f"BEGIN ISOLATION LEVEL READ COMMITTED; {_DURABLE}; {_LIMITS}")
)
_MOMENT = Statement(text("SELECT extract(epoch FROM clock_timestamp())::float8"))
_UP_SINCE = Statement(
    text("SELECT extract(epoch FROM pg_postmaster_start_time())::float8")
)
# Settings of the whole server: no transaction can change them for itself.
_UNSAFE = Statement(
    text(
        "SELECT name FROM pg_settings "
        "WHERE name IN ('fsync', 'full_page_writes') AND setting = 'off' ORDER BY name"
    )
)
_NOTIFY = Statement(text(f"NOTIFY {CHANNEL}"))

_UNREACHABLE = _("no connection to the server: is it up, are host and port right?")
_NOT_LET_IN = _("the server refuses the connection: check database, user, password")
_NO_TLS = _(
    "TLS with the server is not as MAILDROP_QUEUE wants it: check sslmode, sslrootcert "
    "and the name in its certificate"
)
_CROWDED = _(
    "it has no connection left: raise max_connections, or the limit of this role or "
    "database, or use PgBouncer"
)
_READ_ONLY = _(
    "it is read-only: if it is a standby, name all hosts in MAILDROP_QUEUE; if not, "
    "default_transaction_read_only is on, for the role, the database or the server"
)
_STARTING_OR_STOPPING = _("the server is starting or stopping")

# An attempt to connect that fails gives no code, only words: the server's, after FATAL
# and in any language, or libpq's. Not all of libpq's that mention SSL are about a
# certificate: a connection that breaks has such words, too.
_ADVICE_BY_WORDS = (
    # The last one is PgBouncer's.
    (("connection slots", "too many", "no more connections"), _CROWDED),
    (("starting up", "shutting down", "recovery mode"), _STARTING_OR_STOPPING),
    ((hosts.READ_ONLY_WORDS,), _READ_ONLY),
    (("FATAL", "no password supplied"), _NOT_LET_IN),
    (("certificate", "SSL was required", "sslmode"), _NO_TLS),
)

# By class or code (postgresql.org/docs/current/errcodes-appendix.html).
_ADVICE = {
    "08": _("the connection broke"),
    "25006": _READ_ONLY,
    "25P03": _("a transaction was idle for too long"),
    "25P04": _("the server's transaction_timeout is too short: raise it for this role"),
    "3F000": _(
        "this role may use no schema of its search_path: see the grants in "
        "docs/scaling.md"
    ),
    "40": _("another transaction came first"),
    "42501": _("this role lacks a right: see the grants in docs/scaling.md"),
    "42703": _(
        "a column is missing: are the tables from another version of this software?"
    ),
    "42P01": _("a table is missing: were the tables made, is search_path the same?"),
    "53100": _("the disk of the server is full: free space on it"),
    "53300": _CROWDED,
    "53": _("the server is short of something"),
    "55P03": _(
        "another transaction kept a lock for ${seconds} s",
        mapping={"seconds": LOCK_SECONDS},
    ),
    "57014": _(
        "somebody has ended it, or statement_timeout is too short: raise it for this "
        "role"
    ),
    # The server says the same of pg_terminate_backend.
    "57P01": _("the server is being stopped, or somebody has ended this connection"),
    "57P02": _("the server crashed, and restarts"),
    "57P03": _STARTING_OR_STOPPING,
    "58": _("the server's disk reports an error"),
    "XX": _("the server reports damage"),
}
# With a server that is read-only by now a new connection may find another host.
_CONNECTION_GONE = ("08", "25006", "25P03", "25P04", "57P")


class PostgreSQL(Database):
    """A queue that several machines share; see the contract in queue/database.py."""

    begin_read, begin_write = BEGIN_READ, BEGIN_WRITE
    path = None
    shared = True

    def __init__(self, url: URL) -> None:
        self._url = with_defaults(url)

    def engine(self) -> Engine:
        try:
            engine = create_engine(
                self._url,
                hide_parameters=True,
                pool_size=4,
                max_overflow=12,
                # The same few connections are used again; what a peak has opened rests.
                pool_use_lifo=True,
            )
        except ArgumentError as error:
            # Its words name only hosts and ports, which are no secret.
            raise Unfit(verbatim(str(error))) from None
        event.listen(
            engine,
            "do_connect",
            lambda _dialect, _record, where, options: open_connection(where, options),
        )
        return engine

    def before_upgrade(self, tx: Connection) -> None:
        tx.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _UPGRADE_LOCK})

    def lost(self, error: BaseException) -> bool:
        if not isinstance(error, psycopg.Error):
            return False
        if error.sqlstate is None:
            return isinstance(error, psycopg.OperationalError)
        return error.sqlstate.startswith(_CONNECTION_GONE)

    def advice(self, error: BaseException) -> Wording:
        code = getattr(error, "sqlstate", None)
        words = _words(error)
        if code is None:
            return _without_code(error, words)
        meaning = _ADVICE.get(code, _ADVICE.get(code[:2]))
        return _meaning(meaning, words) if meaning else verbatim(words)

    def refuses(self, error: BaseException) -> bool:
        return isinstance(error, psycopg.DataError | psycopg.IntegrityError)

    def moment(self, tx: Connection, now: float) -> float:
        ((found,),) = _MOMENT.rows(tx)
        return float(found)

    def up_since(self, tx: Connection) -> float:
        ((found,),) = _UP_SINCE.rows(tx)
        return float(found)

    def risks(self, tx: Connection) -> list[str]:
        unsafe = [
            f"the server runs with {name} off: turn it on, or a crash of its machine "
            "can cost all mail"
            for (name,) in _UNSAFE.rows(tx)
        ]
        return [*unsafe, *primaries.risks(self._url)]

    def lacking(self, tx: Connection) -> list[str]:
        return lacking(tx)

    def take(
        self, tx: Connection, owner: str, ids: Sequence[int], now: float
    ) -> Sequence[int]:
        return take(tx, owner, ids, now)

    def wake(self, tx: Connection) -> None:
        _NOTIFY.run(tx)

    async def rings(self) -> AsyncGenerator[None, None]:
        async with await connect_to_listen(self._url) as listening:
            await listening.execute(f"LISTEN {CHANNEL}")
            yield None
            async for _ring in listening.notifies():
                yield None


def _without_code(error: BaseException, words: str) -> Wording:
    if isinstance(error, OwnError):
        return error.why
    if not isinstance(error, psycopg.OperationalError):
        return verbatim(words)
    advice = (
        meaning
        for marks, meaning in _ADVICE_BY_WORDS
        if any(mark in words for mark in marks)
    )
    return _meaning(next(advice, _UNREACHABLE), words)


def _meaning(meaning: Wording, words: str) -> Wording:
    return _("${meaning} (${words})", mapping={"meaning": meaning, "words": words})


def _words(error: BaseException) -> str:
    """The error on one line, without the rows that it is about."""
    diagnosis = getattr(error, "diag", None)
    words = (diagnosis and diagnosis.message_primary) or str(error)
    return " ".join(words.split())
