"""Programs that die at a chosen moment, and a relay that keeps what it was sent."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from proof.crash.audit import MOST_IN_FLIGHT
from proof.crash.house import House, Nursery
from servers.scripted import Scripted


@pytest.fixture(scope="session")
def nursery() -> Iterator[Nursery]:
    nursery = Nursery()
    yield nursery
    nursery.close()


@pytest.fixture
def relay() -> Iterator[Scripted]:
    """Takes everything, unless it is told to follow another script."""
    with Scripted() as relay:
        yield relay


@contextmanager
def a_house(nursery, relay, home, queue: str | None = None) -> Iterator[House]:
    house = House(nursery, home, queue)
    house.configure(SMTP_PORT=relay.port, MAILDROP_RETRY_MIN=0.05)
    house.configure(MAILDROP_CONCURRENCY=MOST_IN_FLIGHT)
    yield house
    house.queue.close()


@pytest.fixture
def house(nursery, relay, tmp_path) -> Iterator[House]:
    with a_house(nursery, relay, tmp_path) as house:
        yield house


@pytest.fixture
def house_on_a_server(nursery, relay, tmp_path, postgresql_url) -> Iterator[House]:
    with a_house(nursery, relay, tmp_path, postgresql_url) as house:
        yield house


@pytest.fixture(params=["sqlite", "postgresql"])
def zope(request) -> House:
    """A house with a Zope in it."""
    on_server = request.param == "postgresql"
    house = request.getfixturevalue("house_on_a_server" if on_server else "house")
    house.constants["transaction.datamanager.SPILL_MESSAGES"] = 2
    house.constants["indoubt.doubt.SETTLE_SECONDS"] = 0.05
    return house


@pytest.fixture
def database_file(zope) -> str:
    """A ZODB that nobody has open."""
    file = str(zope.home / "Data.fs")
    zope.do("proof.crash.pages:make", file)
    return file
