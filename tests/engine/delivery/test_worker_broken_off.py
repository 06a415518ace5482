"""The lease is lost: from that moment on nothing is offered, and no worker is stuck."""

from __future__ import annotations

import asyncio

import pytest
from waiting import all_others_wait

from collective.maildrophost.engine.config import RelayAddress
from collective.maildrophost.engine.smtp import Result
from collective.maildrophost.engine.system.patience import within
from collective.maildrophost.engine.verdict import Outcome, Verdict

LONG = 60.0


class Ledger:
    """Hands out what it is given; remembers what comes back."""

    def __init__(self):
        self.claims = asyncio.Queue()
        self.finished = []
        self.in_doubt = False

    async def turn(self, finished):
        if finished is not None:
            self.finished.append(finished)
        return await self.claims.get()


class Connection:
    """Takes everything, as long as it `speaks`."""

    relay = RelayAddress("relay.example.org", 25)
    served = 0

    def __init__(self):
        self.offered = []
        self.speaks = True

    async def deliver(self, sender, recipients, content):
        self.offered.append(content)
        if not self.speaks:
            await asyncio.sleep(LONG)
        return Result((Verdict(Outcome.SENT, "250 ok"),), answered=True)


class Pool:
    """Has a connection when it is told to."""

    def __init__(self):
        self.connected = asyncio.get_running_loop().create_future()
        self.given = []

    async def take(self):
        return await within(self.connected, LONG)

    def give(self, connection):
        self.given.append(connection)


@pytest.fixture
def at_work(worker):
    """Runs a worker in `play(worker, ledger, pool, connection)`; what was offered."""

    async def run(play):
        ledger, pool, connection = Ledger(), Pool(), Connection()
        one = worker(ledger, pool)
        working = asyncio.create_task(one.run())
        await all_others_wait()
        await play(one, ledger, pool, connection)
        await all_others_wait()
        one.end()
        await asyncio.wait([working], timeout=LONG)
        assert working.cancelled()
        return connection.offered, ledger.finished

    return lambda play: asyncio.run(run(play))


def lose_lease(worker, ledger):
    ledger.in_doubt = True
    worker.break_off()


def test_a_connection_made_at_that_moment_is_not_used(at_work, claimed):
    async def play(worker, ledger, pool, connection):
        ledger.claims.put_nowait(claimed("b@x.org"))
        await all_others_wait()
        pool.connected.set_result(connection)
        lose_lease(worker, ledger)

    offered, (finished,) = at_work(play)
    assert offered == []
    assert finished.settlement is None


def test_a_connection_whose_message_is_broken_off_goes_back(at_work, claimed):
    async def play(worker, ledger, pool, connection):
        connection.speaks = False
        pool.connected.set_result(connection)
        ledger.claims.put_nowait(claimed("b@x.org"))
        await all_others_wait()
        lose_lease(worker, ledger)
        await all_others_wait()
        assert pool.given == [connection]

    _offered, (finished,) = at_work(play)
    assert finished.settlement.possible_duplicate


def test_a_message_handed_out_at_that_moment_goes_back(at_work, claimed):
    async def play(worker, ledger, pool, connection):
        pool.connected.set_result(connection)
        ledger.claims.put_nowait(claimed("b@x.org"))
        lose_lease(worker, ledger)

    offered, (finished,) = at_work(play)
    assert offered == []
    assert finished.settlement is None


def test_a_worker_that_was_broken_off_goes_on_when_the_lease_is_back(at_work, claimed):
    async def play(worker, ledger, pool, connection):
        ledger.claims.put_nowait(claimed("b@x.org"))
        await all_others_wait()
        lose_lease(worker, ledger)
        await all_others_wait()
        ledger.in_doubt = False
        pool.connected = asyncio.get_running_loop().create_future()
        pool.connected.set_result(connection)
        ledger.claims.put_nowait(claimed("c@x.org"))

    offered, finished = at_work(play)
    assert len(offered) == 1
    assert [done.settlement is None for done in finished] == [True, False]


@pytest.mark.parametrize("acts", ["be", "eb"])
def test_a_worker_that_is_ended_as_it_is_broken_off_ends(at_work, claimed, acts):
    async def play(worker, ledger, pool, connection):
        ledger.claims.put_nowait(claimed("b@x.org"))
        await all_others_wait()
        for act in acts:
            worker.break_off() if act == "b" else worker.end()

    offered, finished = at_work(play)
    assert (offered, finished) == ([], [])
