"""A relay that lets in no more connections than are already in use."""

from __future__ import annotations

import asyncio

import pytest
from engine.delivery.hosts import ONE, TWO

from collective.maildrophost.engine.delivery.concurrencylimit import (
    FULL_SECONDS,
    LONGEST_FULL_SECONDS,
    TELL_SECONDS,
)
from collective.maildrophost.engine.delivery.failover import Full
from collective.maildrophost.engine.delivery.pace import Pace
from collective.maildrophost.engine.delivery.permits import Permits
from collective.maildrophost.engine.smtp import RelayFault


@pytest.fixture
def alone(play):
    """Plays a scene with one host."""
    return lambda scene: play(scene, ONE)


async def fill(hosts, connections=3):
    """So many connections, in use at a host that lets no more in."""
    hosts.full = set()
    in_use = [await hosts.pool.take() for _ in range(connections)]
    hosts.full = {ONE}
    with pytest.raises(Full):
        await hosts.pool.take()
    return in_use


async def give_broken(hosts, connections):
    """They are closed."""
    for each in connections:
        each.usable = False
        hosts.pool.give(each)
    await asyncio.sleep(0)
    await asyncio.sleep(0)


def test_as_many_messages_start_as_there_are_connections(alone):
    async def scene(hosts):
        permits = Permits(Pace.of(0.0, 0), "relay", hosts.pool)
        assert permits.count(hosts.now, in_flight=3) is None
        first, *_ = await fill(hosts)
        assert permits.count(hosts.now, in_flight=3) == 0
        assert permits.count(hosts.now, in_flight=2) == 1
        hosts.pool.give(first)
        assert permits.count(hosts.now, in_flight=2) == 1
        assert await hosts.pool.take() is first

    alone(scene)


def test_the_lanes_share_the_connections_that_there_are(alone):
    """Else bulk would have all of them, and a password reset none."""

    async def scene(hosts):
        permits = Permits(Pace.of(0.0, 0), "relay", hosts.pool)
        assert permits.most(10) == 10
        in_use = await fill(hosts)
        assert permits.most(10) == 3
        assert permits.most(2) == 2
        await give_broken(hosts, in_use)
        assert permits.most(10) == 1, "else no mail of any lane could start"
        hosts.now += FULL_SECONDS
        assert permits.most(10) == 10, "any of them may try one more"

    alone(scene)


def test_after_a_while_one_more_is_tried_and_ever_more_seldom(alone):
    async def scene(hosts):
        permits = Permits(Pace.of(0.0, 0), "relay", hosts.pool)
        await fill(hosts)
        for seconds in FULL_SECONDS, 2 * FULL_SECONDS, 4 * FULL_SECONDS:
            assert permits.wait_seconds(hosts.now, in_flight=3) == seconds
            assert permits.wait_seconds(hosts.now, in_flight=2) == 0
            assert permits.count(hosts.now, in_flight=3) == 0
            hosts.now += seconds
            assert permits.wait_seconds(hosts.now, in_flight=3) == 0
            assert permits.count(hosts.now, in_flight=3) == 1
            with pytest.raises(Full):
                await hosts.pool.take()

    alone(scene)


def test_refusals_that_come_at_once_count_as_one(alone):
    async def scene(hosts):
        await fill(hosts)
        with pytest.raises(Full):
            await hosts.pool.take()
        hosts.now += FULL_SECONDS
        with pytest.raises(Full):
            await hosts.pool.take()
        assert hosts.pool.full_seconds == 2 * FULL_SECONDS

    alone(scene)


def test_of_those_that_are_refused_together_the_last_one_finds_the_fault(alone):
    async def scene(hosts):
        hosts.silent = hosts.full = {ONE}
        tries = [asyncio.create_task(hosts.pool.take()) for _ in range(3)]
        await asyncio.sleep(0)
        hosts.answer.set()
        refused = await asyncio.gather(*tries, return_exceptions=True)
        assert [type(each) for each in refused] == [Full, Full, RelayFault]

    alone(scene)


def test_once_another_one_is_let_in_the_pause_is_short_again(alone):
    async def scene(hosts):
        await fill(hosts)
        hosts.now += FULL_SECONDS
        with pytest.raises(Full):
            await hosts.pool.take()
        hosts.now += 2 * FULL_SECONDS
        await fill(hosts, 1)
        assert hosts.pool.full_seconds == FULL_SECONDS

    alone(scene)


def test_a_full_relay_is_never_left_alone_for_long(alone):
    async def scene(hosts):
        await fill(hosts)
        for _ in range(20):
            hosts.now += LONGEST_FULL_SECONDS
            with pytest.raises(Full):
                await hosts.pool.take()
        assert hosts.pool.full_seconds == LONGEST_FULL_SECONDS

    alone(scene)


def test_once_one_is_let_in_again_others_follow_at_once(alone):
    async def scene(hosts):
        await fill(hosts)
        hosts.now += FULL_SECONDS
        hosts.full = set()
        for more in 1, 2, 3:
            assert hosts.pool.free(in_flight=2 + more) == 1
            await hosts.pool.take()

    alone(scene)


def test_when_no_connection_is_left_the_next_ones_find_out_how_the_relay_is(alone):
    async def scene(hosts):
        await give_broken(hosts, await fill(hosts))
        assert hosts.pool.free(in_flight=0) is None
        with pytest.raises(RelayFault):
            await hosts.pool.take()

    alone(scene)


def test_a_connection_that_hangs_before_it_is_let_in_holds_up_others_only_briefly(
    alone,
):
    async def scene(hosts):
        in_use = await fill(hosts)
        hosts.silent = {ONE}
        hangs = asyncio.create_task(hosts.pool.take())
        await asyncio.sleep(0)
        await give_broken(hosts, in_use)
        assert hosts.pool.free(in_flight=1) == 0
        hosts.now += FULL_SECONDS
        assert hosts.pool.free(in_flight=1) is None
        hangs.cancel()

    alone(scene)


def test_a_connection_that_is_being_closed_is_still_in_use(alone):
    """With MAILDROP_BATCH the next one is often greeted before it is closed."""

    async def scene(hosts):
        (in_use,) = await fill(hosts, 1)
        in_use.usable = False
        hosts.pool.give(in_use)
        with pytest.raises(Full):
            await hosts.pool.take()
        assert hosts.pool.free(in_flight=0) == 0

    alone(scene)


def test_a_relay_that_says_nothing_is_at_fault_whatever_is_in_use(alone):
    """Each of the others would wait for it as long."""

    async def scene(hosts):
        await hosts.pool.take()
        hosts.full, hosts.mute = {ONE}, True
        with pytest.raises(RelayFault):
            await hosts.pool.take()

    alone(scene)


def test_a_relay_that_refuses_this_machine_for_good_is_at_fault_whatever_is_in_use(
    alone,
):
    async def scene(hosts):
        await hosts.pool.take()
        hosts.full, hosts.for_good = {ONE}, True
        with pytest.raises(RelayFault):
            await hosts.pool.take()

    alone(scene)


def test_a_relay_that_cannot_be_reached_is_at_fault_whatever_is_in_use(alone):
    async def scene(hosts):
        await hosts.pool.take()
        hosts.down = {ONE}
        with pytest.raises(RelayFault):
            await hosts.pool.take()

    alone(scene)


def test_several_hosts_that_let_nobody_in_are_at_fault_whatever_is_in_use(play):
    async def scene(hosts):
        await hosts.pool.take()
        hosts.full = {ONE, TWO}
        with pytest.raises(RelayFault):
            await hosts.pool.take()

    play(scene)


def test_of_several_hosts_the_next_one_takes_what_a_full_one_does_not(play):
    async def scene(hosts):
        await hosts.pool.take()
        hosts.full = {ONE}
        assert (await hosts.pool.take()).relay == TWO
        assert hosts.failover.first == TWO
        assert hosts.pool.free(in_flight=2) is None

    play(scene)


def test_the_log_tells_of_a_full_relay_once_an_hour(alone, caplog):
    async def scene(hosts):
        told = "fewer than MAILDROP_CONCURRENCY"
        for _ in range(3):
            await fill(hosts)
            assert caplog.text.count(told) == 1
            hosts.now += TELL_SECONDS / 4
        hosts.now += TELL_SECONDS / 4
        await fill(hosts)
        assert caplog.text.count(told) == 2

    alone(scene)


def test_the_log_tells_of_a_full_relay_only_where_some_are_let_in(alone, caplog):
    async def scene(hosts):
        hosts.silent = hosts.full = {ONE}
        tries = [asyncio.create_task(hosts.pool.take()) for _ in range(3)]
        await asyncio.sleep(0)
        hosts.answer.set()
        await asyncio.gather(*tries, return_exceptions=True)
        assert "fewer than MAILDROP_CONCURRENCY" not in caplog.text
        hosts.full = set()
        await hosts.pool.take()
        assert caplog.text.count("fewer than MAILDROP_CONCURRENCY") == 1
        hosts.now += TELL_SECONDS
        await hosts.pool.take()
        assert caplog.text.count("fewer than MAILDROP_CONCURRENCY") == 1, "long ago"

    alone(scene)
