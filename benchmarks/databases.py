"""The PostgreSQL server of the tests, but durable, as it has to be for real mail."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

TESTS = str(Path(__file__).parents[1] / "tests")


@contextmanager
def postgresql() -> Iterator[str]:
    """The URL of a new database on a server that syncs every commit."""
    if TESTS not in sys.path:
        sys.path.append(TESTS)
    from servers.postgresql import PostgreSQL

    settings = {"shared_buffers": "256MB", "autovacuum_naptime": "15s"}
    with PostgreSQL(durable=True, **settings) as server:
        yield server.url(server.create())
