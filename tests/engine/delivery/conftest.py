"""Claims as the queue hands them out, workers that deliver them, hosts of a relay."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace

import pytest
from daemons import daemon_seen
from engine.delivery.hosts import Hosts
from engine.delivery.machines import BEGAN, Clock, Machine
from waiting import PATIENCE_SECONDS

from collective.maildrophost.engine.delivery import relaywatch as watching
from collective.maildrophost.engine.delivery.blame import Blame
from collective.maildrophost.engine.delivery.notifications import NotificationPolicy
from collective.maildrophost.engine.delivery.retry import RetryPolicy
from collective.maildrophost.engine.delivery.worker import Worker
from collective.maildrophost.engine.message import Lane
from collective.maildrophost.engine.queue import (
    Claim,
    OpenRecipient,
    register,
)
from collective.maildrophost.engine.system.identity import own_identity

NOW = 1_800_000_000.0
CLAIM = Claim(
    id=7,
    owner="0123456789abcdef0123456789abcdef",
    lane=Lane.NORMAL,
    sender="a@x.org",
    recipients=(),
    deferred=(),
    more=False,
    again=False,
    content=b"From: a@x.org\nSubject: hello\nMessage-Id: <1@x.org>\n\nthe body\n",
    header_id="<1@x.org>",
    created=NOW,
    since=NOW,
    due=NOW,
    attempts=0,
    possible_duplicate=False,
    warned=False,
    size=62,
)


@pytest.fixture(scope="session")
def claimed() -> Callable[..., Claim]:
    """A claim for these recipients, tried as often as told, changed as told."""

    def claimed(*addresses: str, tries: int = 0, **changes: object) -> Claim:
        recipients = tuple(
            OpenRecipient(position, address, tries)
            for position, address in enumerate(addresses)
        )
        return replace(CLAIM, recipients=recipients, attempts=tries, **changes)

    return claimed


@pytest.fixture(scope="session")
def worker() -> Callable[..., Worker]:
    """Makes a worker; `failed` hears of the relay's faults that it finds."""

    def worker(ledger, pool, failed=lambda fault: None):
        return Worker(
            ledger,
            pool,
            RetryPolicy(60, 4000, 1e9),
            NotificationPolicy("host", False, 0.0, ""),
            (),
            Blame(),
            lambda relay: None,
            failed,
        )

    return worker


@pytest.fixture
def play():
    """Runs a scene with its hosts, and closes what it left open."""

    def play(scene, *addresses):
        async def run():
            hosts = Hosts(*addresses)
            await asyncio.wait_for(scene(hosts), PATIENCE_SECONDS)
            await hosts.pool.close()

        asyncio.run(run())

    return play


@pytest.fixture
def make_machine(queue, monkeypatch):
    """A machine among others, whose daemons use relays of these names."""
    clock = Clock()
    monkeypatch.setattr(watching, "time", clock)

    def make(*others):
        with queue.write() as tx:
            for relay in others:
                own = {"owner": relay, "process": own_identity(), "relay": relay}
                register(tx, daemon_seen(BEGAN, **own, lease_until=BEGAN + 9000))
        return Machine(queue, clock)

    return make
