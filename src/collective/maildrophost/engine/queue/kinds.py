"""Which kind of database a URL means."""

from __future__ import annotations

from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError

from ..queueurl import EXPECTED
from ..wording import Unfit, _
from .database import Database
from .errors import QueueError


def database_at(url: str) -> Database:
    """The database at `url`; Unfit, with the reason, when it is of no known kind.

    QueueError when it is no URL.
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
            raise Unfit(
                _(
                    "${words}: install collective.maildrophost[postgresql]",
                    mapping={"words": error},
                )
            ) from None
        return PostgreSQL(parsed)
    raise Unfit(EXPECTED)


def _parsed(url: str) -> URL:
    try:
        return make_url(url)
    except (ArgumentError, ValueError):
        # Its words may quote a part of the password.
        words = _(
            "MAILDROP_QUEUE is not a database URL: ${expected}",
            mapping={"expected": EXPECTED},
        )
        raise QueueError("?", words) from None
