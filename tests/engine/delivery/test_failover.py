"""Which host has the mail, where SMTP_HOST names several."""

from __future__ import annotations

import asyncio

import pytest
from engine.delivery.hosts import ONE, PAUSE_SECONDS, TWO, nobody
from engine.delivery.permitting import permits
from waiting import until

from collective.maildrophost.engine.delivery.relayhealth import PausePolicy
from collective.maildrophost.engine.delivery.relaywatch import RelayWatch
from collective.maildrophost.engine.smtp import Phase, RelayFault


class Told:
    """A ledger that keeps what it is told."""

    def __init__(self):
        self.notes = []

    def note(self, note):
        self.notes.append(note)


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


def test_with_all_hosts_paused_every_host_is_tried_all_the_same(play):
    async def scene(hosts):
        hosts.down = {ONE, TWO}
        for _ in range(2):
            with pytest.raises(RelayFault) as raised:
                await hosts.pool.take()
            hosts.failover.failed(raised.value)
        assert hosts.tried == [ONE, TWO] * 2

    play(scene)


@pytest.mark.parametrize("hosts", [(ONE,), (ONE, TWO)], ids=len)
def test_the_log_tells_of_another_host_only_where_there_is_one(play, caplog, hosts):
    async def scene(hosts):
        hosts.failover.failed(RelayFault(ONE, Phase.CONNECT, "refused"))

    play(scene, *hosts)
    told = "relay one:25: connect: refused; the next host is tried, no mail is lost"
    assert caplog.messages == [told] * (len(hosts) - 1)


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
        await until(lambda: hosts.tried, "a try")
        assert await hosts.pool.take() is first
        assert (await hosts.pool.take()).relay == TWO
        assert hosts.tried == [ONE, TWO]
        hosts.answer.set()
        assert (await probe).relay == ONE
        hosts.failover.works(ONE)
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


def test_a_host_that_has_taken_a_message_counts_as_well_again(play):
    async def scene(hosts):
        pause = PausePolicy(PAUSE_SECONDS)
        may_start = permits()
        # Nothing is to be told: the other host has stood in.
        watch = RelayWatch(
            "one;two", hosts.failover, may_start, None, pause, None, "me"
        )
        refused = RelayFault(ONE, Phase.MAIL, "530 no")
        for _ in range(2):
            hosts.failover.failed(refused)
            hosts.now += 2 * PAUSE_SECONDS
        watch.works(ONE)
        hosts.failover.failed(refused)
        hosts.now += PAUSE_SECONDS
        assert hosts.failover.first == ONE

    play(scene)


def test_the_relay_is_not_at_fault_while_another_host_stands_in(play):
    async def scene(hosts):
        pause, told = PausePolicy(PAUSE_SECONDS), Told()
        may_start = permits()
        watch = RelayWatch(
            "one;two", hosts.failover, may_start, told, pause, None, "me"
        )
        watch.failed(RelayFault(ONE, Phase.MAIL, "530 no"))
        assert (may_start.health.good, told.notes) == (True, [])
        watch.failed(RelayFault(TWO, Phase.MAIL, "530 no"))
        assert (may_start.health.good, len(told.notes)) == (False, 1)

    play(scene)


def test_the_relay_is_at_fault_however_long_its_hosts_take_to_fail(play):
    async def scene(hosts):
        pause, told = PausePolicy(PAUSE_SECONDS), Told()
        may_start = permits()
        watch = RelayWatch(
            "one;two", hosts.failover, may_start, told, pause, None, "me"
        )
        hosts.down, hosts.seconds = {ONE, TWO}, 100 * PAUSE_SECONDS
        with pytest.raises(RelayFault) as raised:
            await hosts.failover.open(nobody)
        watch.failed(raised.value)
        assert hosts.tried == [ONE, TWO]
        assert not may_start.health.good
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
        assert (await hosts.failover.open(nobody)).relay == TWO

    play(scene)
    assert "one:25: connect: refused; the next host is tried" in caplog.text


def test_the_log_has_a_fault_once_for_each_pause_and_as_an_error_once(play, caplog):
    async def scene(hosts):
        refused = RelayFault(ONE, Phase.AUTH, "535 no", permanent=True)
        for _ in range(2):
            for _connection in range(3):
                hosts.failover.failed(refused)
            hosts.now += PAUSE_SECONDS

    play(scene)
    assert [each.levelname for each in caplog.records] == ["ERROR", "WARNING"]
