"""Which kind of database a URL means."""

from __future__ import annotations

from sqlalchemy.engine import URL

from ..queueurl import EXPECTED
from .database import Database


def database_at(url: URL) -> Database:
    """The database at `url`; ValueError, with the reason, when there is none of it."""
    # Only what is used gets imported: a queue on SQLite needs no other driver.
    kind = url.get_backend_name()
    if kind == "sqlite":
        from .sqlite.database import SQLite

        return SQLite(url)
    if url.drivername == "postgresql+psycopg":
        try:
            from .postgresql.database import PostgreSQL
        except ImportError as error:
            raise ValueError(
                f"{error}: install collective.maildrophost[postgresql]"
            ) from None
        return PostgreSQL(url)
    raise ValueError(EXPECTED)
