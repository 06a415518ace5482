"""Machines that share a queue on PostgreSQL, each with a daemon of its own."""

from __future__ import annotations

import json
import sys

import pytest
from forking import IMPATIENT
from servers.postgresql import PostgreSQL

from collective.maildrophost.engine.queue import open_queue

SHORT = {
    "delivery.ledger.RETRY_SECONDS": 0.1,
    "delivery.relaywatch.LOOK_SECONDS": 0.1,
    "delivery.relaywatch.YIELD_SECONDS": 0.2,
    "daemon.listener.SHORTEST_PAUSE_SECONDS": 0.1,
    "daemon.listener.LONGEST_PAUSE_SECONDS": 0.2,
    "daemon.heartbeat.RENEW_SECONDS": 0.1,
}


@pytest.fixture
def machines(postgresql_url, make_site, tmp_path):
    """As many machines as are asked for, with one queue."""
    made = []

    def make(count=2, url=postgresql_url, **constants):
        times = {name.replace("__", "."): value for name, value in constants.items()}
        for _ in range(count):
            home = tmp_path / f"machine{len(made)}"
            home.mkdir()
            site = make_site(home, url)
            told = json.dumps({"smtp": {}, **SHORT, **times})
            site.program = (sys.executable, IMPATIENT, told)
            made.append(site)
        return made[-count:]

    yield make
    for site in made:
        site.queue.close()


@pytest.fixture
def breakable():
    """A server that a test may stop, kill and pause."""
    with PostgreSQL(max_connections=12) as server:
        yield server


@pytest.fixture
def queue(postgresql_url):
    queue = open_queue(postgresql_url)
    yield queue
    queue.close()
