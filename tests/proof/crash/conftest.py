"""Programs that die at a chosen moment, and a relay that keeps what it was sent."""

from __future__ import annotations

from collections.abc import Iterator

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


@pytest.fixture
def house(nursery, relay, tmp_path) -> Iterator[House]:
    house = House(nursery, tmp_path)
    house.configure(SMTP_PORT=relay.port, MAILDROP_RETRY_MIN=0.05)
    house.configure(MAILDROP_CONCURRENCY=MOST_IN_FLIGHT)
    yield house
    house.queue.close()


@pytest.fixture(params=["sqlite", "postgresql"])
def zope(request, nursery, relay, tmp_path) -> Iterator[House]:
    """A house with a Zope in it."""
    on_server = request.param == "postgresql"
    url = request.getfixturevalue("postgresql_url") if on_server else None
    house = House(nursery, tmp_path, url)
    house.configure(SMTP_PORT=relay.port, MAILDROP_RETRY_MIN=0.05)
    house.constants["transaction.datamanager.SPILL_MESSAGES"] = 2
    house.constants["indoubt.doubt.SETTLE_SECONDS"] = 0.05
    yield house
    house.queue.close()


@pytest.fixture
def database_file(zope) -> str:
    """A ZODB that nobody has open."""
    file = str(zope.home / "Data.fs")
    zope.do("proof.crash.pages:make", file)
    return file
