"""A queue on PostgreSQL, and a server that a test may break."""

from __future__ import annotations

import pytest
from servers.postgresql import PostgreSQL

from collective.maildrophost.engine.queue import (
    open_queue,
)


@pytest.fixture
def url(postgresql_url):
    return postgresql_url


@pytest.fixture
def server(request):
    return request.getfixturevalue("postgresql")


@pytest.fixture
def breakable():
    """A server that a test may stop, kill and pause."""
    with PostgreSQL(max_connections=8, superuser_reserved_connections=3) as server:
        yield server


@pytest.fixture
def broken_queue(breakable):
    queue = open_queue(breakable.url(breakable.create()))
    yield queue
    queue.close()
