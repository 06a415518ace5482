"""How a process connects to PostgreSQL, and how long it waits for answers."""

# Nothing is set for a session: see database.py.

from __future__ import annotations

import fcntl
import sys
import termios
from collections.abc import Callable, Generator, Mapping, Sequence
from time import monotonic
from typing import Any, TypeVar

import psycopg
from sqlalchemy.engine import URL

from ...wording import Wording, _
from . import hosts

ANSWER_SECONDS = 30.0
"""A server that says nothing for so long is taken for gone."""
CONNECT_SECONDS = 10
"""For each host of the URL."""
ENCODING = "UTF8"

Value = TypeVar("Value")


class OwnError(psycopg.OperationalError):
    """Passes through SQLAlchemy as the driver's own do; `why` says why."""

    def __init__(self, why: Wording) -> None:
        super().__init__(why)
        self.why = why


class NoAnswer(OwnError):
    """The server has said nothing for ANSWER_SECONDS."""


class PatientConnection(psycopg.Connection[Any]):
    """Does not wait for ever: a server that was stopped keeps its sockets open."""

    def wait(self, gen: Any, *arguments: Any, **options: Any) -> Any:
        """Drive `gen` to its end; NoAnswer when nothing comes for too long."""
        try:
            patient = _in_time(gen, self._octets_to_go)
            return super().wait(patient, *arguments, **options)
        except NoAnswer:
            self.pgconn.finish()
            raise

    def _octets_to_go(self) -> int:
        """The octets in the socket's send queue, which the server has not got yet."""
        count = bytearray(4)
        try:
            fcntl.ioctl(self.pgconn.socket, termios.TIOCOUTQ, count)
        except OSError:
            return 0  # This system has the figure for terminals only.
        return int.from_bytes(count, sys.byteorder)


def _in_time(
    waiting: Generator[Any, Any, Value], octets_to_go: Callable[[], int]
) -> Generator[Any, Any, Value]:
    """The same generator, but patient no longer than ANSWER_SECONDS.

    It is resumed now and then while nothing comes.
    """
    deadline, to_go = monotonic() + ANSWER_SECONDS, 0
    try:
        wish = next(waiting)
        while True:
            ready = yield wish
            before, to_go = to_go, 0 if ready else octets_to_go()
            # Large mail takes its time on a slow line, in either direction.
            if ready or to_go < before:
                deadline = monotonic() + ANSWER_SECONDS
            elif monotonic() > deadline:
                raise NoAnswer(
                    _(
                        "no answer within ${seconds} s: the server hangs, or a pooler "
                        "before it has no connection left for this program",
                        mapping={"seconds": f"{ANSWER_SECONDS:.0f}"},
                    )
                )
            wish = waiting.send(ready)
    except StopIteration as end:
        value: Value = end.value
        return value


def with_defaults(url: URL) -> URL:
    """The URL with defaults for what it leaves open: nothing waits for ever."""
    defaults = {
        "application_name": "maildrop",
        "client_encoding": "utf8",
        "connect_timeout": str(CONNECT_SECONDS),
        "target_session_attrs": "read-write",
        "keepalives_idle": "20",
        "keepalives_interval": "5",
        "keepalives_count": "4",
        "tcp_user_timeout": str(int(ANSWER_SECONDS * 1000)),
    }
    return url.update_query_dict({**defaults, **url.query})


def open_connection(
    arguments: Sequence[Any], options: Mapping[str, Any]
) -> PatientConnection:
    """Connect to a database that can store mail; `psycopg.Error` when there is none."""
    connection = PatientConnection.connect(
        *arguments,
        # The queue begins transactions itself.
        autocommit=True,
        # A prepared statement belongs to a session.
        prepare_threshold=None,
        **hosts.good_one_first(options),
    )
    # PgBouncer may bring rings that another client has asked for; without a handler the
    # driver would keep them all.
    connection.add_notify_handler(_not_for_us)
    encoding = connection.info.parameter_status("server_encoding")
    if encoding not in (None, ENCODING):  # a pooler need not tell it
        connection.close()
        raise OwnError(
            _(
                "the database's encoding is ${encoding}: mail needs one that was made "
                "with ENCODING '${needed}'",
                mapping={"encoding": encoding, "needed": ENCODING},
            )
        )
    hosts.remember_good(options, connection.info)
    return connection


def _not_for_us(_ring: psycopg.Notify) -> None:
    """Drop it: whoever listens has a connection of its own for that."""


async def connect_to_listen(url: URL) -> psycopg.AsyncConnection[Any]:
    """A connection outside the pool, which may wait for rings as long as it likes."""
    arguments, options = url.get_dialect()().create_connect_args(url)
    connection = await psycopg.AsyncConnection.connect(
        *arguments, autocommit=True, **hosts.good_one_first(options)
    )
    hosts.remember_good(options, connection.info)
    return connection
