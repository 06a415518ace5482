"""Which host has the mail, where SMTP_HOST names several."""

from __future__ import annotations

import asyncio

import pytest

from collective.maildrophost.engine.config import RelayAddress
from collective.maildrophost.engine.delivery.pace import Pace
from collective.maildrophost.engine.delivery.permits import Permits
from collective.maildrophost.engine.delivery.pool import Pool
from collective.maildrophost.engine.delivery.relayhealth import PausePolicy
from collective.maildrophost.engine.delivery.route import Failover
from collective.maildrophost.engine.delivery.watch import Watch
from collective.maildrophost.engine.smtp import Phase, RelayFault

ONE, TWO = RelayAddress("one", 25), RelayAddress("two", 25)
PAUSE_SECONDS = 2.0
PATIENCE_SECONDS = 10.0


class Opened:
    """A connection that always works."""

    served = 0
    usable = True

    def __init__(self, relay):
        self.relay = relay
        self.closed = 0

    async def quit(self):
        self.closed += 1


class Hosts:
    """Two hosts, of which those in `down` refuse; `now` is the time.

    Those in `silent` answer as soon as `answer` is set. A try takes `seconds`.
    """

    hosts = (ONE, TWO)

    def __init__(self):
        self.now = 1_800_000_000.0
        self.down = set()
        self.silent = set()
        self.answer = asyncio.Event()
        self.tried = []
        self.seconds = 0.0
        self.failover = Failover(self, PausePolicy(PAUSE_SECONDS), lambda: self.now)
        self.pool = Pool(self.failover, batch=0)

    async def open(self, host):
        self.tried.append(host)
        self.now += self.seconds
        if host in self.silent:
            await self.answer.wait()
        if host in self.down:
            raise RelayFault(host, Phase.CONNECT, "refused")
        return Opened(host)

    async def stand_in(self, connections=1):
        """Connections to the second host, given back after the first has failed."""
        self.down = {ONE}
        opened = [await self.pool.take() for _ in range(connections)]
        assert {each.relay for each in opened} == {TWO}
        for each in opened:
            self.pool.give(each)
        self.tried.clear()
        return opened


class Told:
    """A ledger that keeps what it is told."""

    def __init__(self):
        self.notes = []

    def note(self, note):
        self.notes.append(note)


@pytest.fixture
def play():
    """Runs a scene with its hosts, and closes what it left open."""

    def play(scene):
        async def run():
            hosts = Hosts()
            await asyncio.wait_for(scene(hosts), PATIENCE_SECONDS)
            await hosts.pool.close()

        asyncio.run(run())

    return play


def test_a_connection_is_kept_while_its_host_is_the_first_that_may_be_tried(play):
    async def scene(hosts):
        (stand_in,) = await hosts.stand_in()
        hosts.now += PAUSE_SECONDS - 0.1
        assert await hosts.pool.take() is stand_in
        assert hosts.tried == []

    play(scene)


def test_the_first_host_is_used_again_although_a_connection_to_the_second_waits(play):
    async def scene(hosts):
        (stand_in,) = await hosts.stand_in()
        hosts.now += PAUSE_SECONDS
        hosts.down.clear()
        back = await hosts.pool.take()
        assert back.relay == ONE
        await hosts.pool.close()
        assert stand_in.closed
        hosts.pool.give(back)
        assert await hosts.pool.take() is back

    play(scene)


def test_a_first_host_that_still_fails_costs_one_connection_for_each_pause(play):
    async def scene(hosts):
        first, second = await hosts.stand_in(2)
        hosts.now += PAUSE_SECONDS
        assert (await hosts.pool.take()).relay == TWO
        assert hosts.tried == [ONE, TWO]
        assert await hosts.pool.take() is first
        assert not first.closed
        await hosts.pool.close()
        assert second.closed

    play(scene)


def test_one_connection_waits_for_a_host_that_may_be_back_the_others_go_on(play):
    async def scene(hosts):
        (first, _) = await hosts.stand_in(2)
        hosts.now += PAUSE_SECONDS
        hosts.silent, hosts.down = {ONE}, set()
        probe = asyncio.create_task(hosts.pool.take())
        while not hosts.tried:
            await asyncio.sleep(0)
        assert await hosts.pool.take() is first
        assert (await hosts.pool.take()).relay == TWO
        assert hosts.tried == [ONE, TWO]
        hosts.answer.set()
        assert (await probe).relay == ONE
        hosts.failover.works(ONE)
        assert hosts.failover.first == ONE

    play(scene)


@pytest.fixture
def tried(play):
    """Plays a scene with the connection whose message tries the first host again."""

    def try_again(scene):
        async def until_open(hosts):
            await hosts.stand_in()
            hosts.now += PAUSE_SECONDS
            hosts.down.clear()
            connection = await hosts.pool.take()
            assert connection.relay == ONE
            await scene(hosts, connection)

        play(until_open)

    return try_again


def test_a_host_that_greets_again_has_one_message_until_it_has_taken_it(tried):
    async def scene(hosts, connection):
        others = [await hosts.pool.fresh() for _ in range(3)]
        assert {each.relay for each in others} == {TWO}
        hosts.failover.works(ONE)
        assert (await hosts.pool.fresh()).relay == ONE

    tried(scene)


def test_a_host_that_was_told_nothing_is_tried_with_the_next_message(tried):
    async def scene(hosts, connection):
        hosts.pool.give(connection)
        assert await hosts.pool.take() is connection
        hosts.pool.give(await hosts.pool.fresh())
        assert hosts.failover.first == ONE

    tried(scene)


def test_who_used_a_host_before_its_fault_does_not_speak_for_the_one_that_tries(play):
    async def scene(hosts):
        early = await hosts.pool.take()
        assert early.relay == ONE
        hosts.failover.failed(RelayFault(ONE, Phase.MAIL, "530 no"))
        hosts.now += PAUSE_SECONDS
        assert (await hosts.pool.fresh()).relay == ONE
        hosts.pool.give(early)
        assert hosts.failover.first == TWO

    play(scene)


def test_a_host_that_fails_at_the_mail_it_was_tried_with_is_tried_again_later(tried):
    async def scene(hosts, connection):
        hosts.failover.failed(RelayFault(ONE, Phase.MAIL, "530 no"))
        assert hosts.failover.first == TWO
        hosts.now += 2 * PAUSE_SECONDS
        assert hosts.failover.first == ONE

    tried(scene)


def test_a_try_that_is_cancelled_leaves_the_host_to_others(play):
    async def scene(hosts):
        await hosts.stand_in()
        hosts.now += PAUSE_SECONDS
        hosts.silent = {ONE}
        probe = asyncio.create_task(hosts.pool.take())
        while not hosts.tried:
            await asyncio.sleep(0)
        probe.cancel()
        await asyncio.wait([probe])
        assert hosts.failover.first == ONE

    play(scene)


def test_a_host_that_opens_but_takes_no_mail_has_ever_longer_pauses(play):
    async def scene(hosts):
        for pause in (PAUSE_SECONDS, 2 * PAUSE_SECONDS, 4 * PAUSE_SECONDS):
            connection = await hosts.pool.take()
            hosts.failover.failed(RelayFault(connection.relay, Phase.MAIL, "530 no"))
            hosts.now += pause - 0.1
            assert hosts.failover.first == TWO
            hosts.now += 0.1
            assert hosts.failover.first == ONE
        hosts.failover.works(ONE)
        hosts.failover.failed(RelayFault(ONE, Phase.MAIL, "530 no"))
        hosts.now += PAUSE_SECONDS
        assert hosts.failover.first == ONE

    play(scene)


def test_a_host_that_has_taken_a_message_is_well_again(play):
    async def scene(hosts):
        pause = PausePolicy(PAUSE_SECONDS)
        permits = Permits(Pace.of(0.0, 0.0))
        # Nothing is to be told: the other host has stood in.
        watch = Watch("one;two", hosts.failover, permits, None, pause, None, "me")
        refused = RelayFault(ONE, Phase.MAIL, "530 no")
        for _ in range(2):
            hosts.failover.failed(refused)
            hosts.now += 2 * PAUSE_SECONDS
        watch.works(ONE)
        hosts.failover.failed(refused)
        hosts.now += PAUSE_SECONDS
        assert hosts.failover.first == ONE

    play(scene)


def test_the_relay_is_at_fault_however_long_its_hosts_take_to_fail(play):
    async def scene(hosts):
        pause, told = PausePolicy(PAUSE_SECONDS), Told()
        permits = Permits(Pace.of(0.0, 0.0))
        watch = Watch("one;two", hosts.failover, permits, told, pause, None, "me")
        hosts.down, hosts.seconds = {ONE, TWO}, 100 * PAUSE_SECONDS
        with pytest.raises(RelayFault) as raised:
            await hosts.failover.open()
        watch.failed(raised.value)
        assert hosts.tried == [ONE, TWO]
        assert not permits.health.good
        assert len(told.notes) == 1

    play(scene)


def test_a_host_whose_pause_is_over_is_tried_but_does_not_stand_in(play):
    async def scene(hosts):
        await hosts.stand_in()
        assert not hosts.failover.has_other(TWO)
        assert hosts.failover.has_other(ONE)
        hosts.now += PAUSE_SECONDS
        assert not hosts.failover.has_other(TWO)
        assert hosts.failover.first == ONE

    play(scene)


def test_a_connection_whose_verdict_was_never_written_is_closed_at_the_end(play):
    async def scene(hosts):
        unsettled, waits, used_up = [await hosts.pool.take() for _ in range(3)]
        used_up.usable = False
        for connection in (waits, used_up):
            hosts.pool.give(connection)
        await hosts.pool.close()
        assert [each.closed for each in (unsettled, waits, used_up)] == [1, 1, 1]

    play(scene)


def test_the_log_has_a_fault_whenever_the_next_host_is_tried(play, caplog):
    async def scene(hosts):
        hosts.failover.failed(RelayFault(TWO, Phase.MAIL, "530 no"))
        hosts.now += PAUSE_SECONDS
        hosts.down = {ONE}
        assert (await hosts.failover.open()).relay == TWO

    play(scene)
    assert "one:25: connect: refused; the next host is tried" in caplog.text
