"""Two servers with a queue each, as when an old primary has come back."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from servers.postgresql import OWNER, PostgreSQL

from collective.maildrophost.engine.queue import open_queue


@contextmanager
def two_hosts(first: PostgreSQL, second: PostgreSQL) -> Iterator[str]:
    """The name of a database that has an empty queue on each of them."""
    name = first.create()
    second.execute(f"CREATE DATABASE {name} OWNER {OWNER}")
    for server in (first, second):
        open_queue(server.url(name)).close()
    yield name
    first.drop(name)
