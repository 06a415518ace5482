"""Which kind of database a URL means."""

from __future__ import annotations

from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError

from ..queueurl import EXPECTED
from .database import Database
from .errors import QueueError


def database_at(url: str) -> Database:
    """The database at `url`; ValueError, with the reason, when there is none of it.

    QueueError for what is no URL.
    """
    parsed = _parsed(url)
    # Only what is used gets imported: a queue on SQLite needs no other driver.
    if parsed.get_backend_name() == "sqlite":
        from .sqlite.database import SQLite

        return SQLite(parsed)
    if parsed.drivername == "postgresql+psycopg":
        try:
            from .postgresql.database import PostgreSQL
        except ImportError as error:
            raise ValueError(
                f"{error}: install collective.maildrophost[postgresql]"
            ) from None
        return PostgreSQL(parsed)
    raise ValueError(EXPECTED)


def _parsed(url: str) -> URL:
    try:
        return make_url(url)
    except (ArgumentError, ValueError):
        # Its words may quote a part of the password.
        words = f"MAILDROP_QUEUE is not a database URL: {EXPECTED}"
        raise QueueError("?", words) from None
