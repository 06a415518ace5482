"""A host that was at fault is tried with one message, while another stands in."""

from __future__ import annotations

import asyncio

import pytest
from engine.delivery.hosts import ONE, PAUSE_SECONDS, TWO, nobody
from waiting import until

from collective.maildrophost.engine.smtp import Phase, RelayFault


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


def test_a_host_that_was_offered_nothing_is_tried_with_the_next_message(tried):
    async def scene(hosts, connection):
        hosts.pool.give(connection)
        assert await hosts.pool.take() is connection
        hosts.pool.give(await hosts.pool.fresh())
        assert hosts.failover.first == ONE

    tried(scene)


def test_a_connection_from_before_the_fault_does_not_speak_for_the_probe(play):
    async def scene(hosts):
        early = await hosts.pool.take()
        assert early.relay == ONE
        hosts.failover.failed(RelayFault(ONE, Phase.MAIL, "530 no"))
        hosts.now += PAUSE_SECONDS
        assert (await hosts.pool.fresh()).relay == ONE
        hosts.pool.give(early)
        assert hosts.failover.first == TWO

    play(scene)


def test_a_host_that_fails_at_its_probe_is_tried_again_later(tried):
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
        await until(lambda: hosts.tried, "a try")
        probe.cancel()
        await asyncio.wait([probe])
        assert hosts.failover.first == ONE

    play(scene)


def test_during_a_probe_no_host_is_tried_that_is_still_paused(play):
    async def scene(hosts):
        for host in (ONE, TWO):
            hosts.failover.failed(RelayFault(host, Phase.MAIL, "530 no"))
        hosts.now += PAUSE_SECONDS
        hosts.failover.failed(RelayFault(ONE, Phase.MAIL, "530 no"))
        hosts.silent = {TWO}
        probe = asyncio.create_task(hosts.failover.open(nobody))
        await until(lambda: hosts.tried, "a try")
        assert hosts.failover.first == TWO
        hosts.answer.set()
        await probe
        assert hosts.tried == [TWO]

    play(scene)
