"""A relay that lets nobody in beside the connections that are in use."""

from __future__ import annotations

import pytest
from engine.delivery.hosts import ONE, TWO

from collective.maildrophost.engine.delivery.pace import Pace
from collective.maildrophost.engine.delivery.permits import Permits
from collective.maildrophost.engine.delivery.pool import (
    FULL_SECONDS,
    LONGEST_FULL_SECONDS,
    TELL_SECONDS,
)
from collective.maildrophost.engine.delivery.route import Full
from collective.maildrophost.engine.smtp import RelayFault


async def fill(hosts, connections=3):
    """So many in use at the second host, which lets no more in; the first is down."""
    hosts.down = {ONE}
    in_use = [await hosts.pool.take() for _ in range(connections)]
    hosts.full = {TWO}
    with pytest.raises(Full):
        await hosts.pool.take()
    return in_use


def test_as_many_messages_start_as_there_are_connections(play):
    async def scene(hosts):
        permits = Permits(Pace.of(0.0, 0), "relay", hosts.pool)
        assert permits.count(hosts.now, in_flight=3) is None
        first, *_ = await fill(hosts)
        assert permits.count(hosts.now, in_flight=3) == 0
        assert permits.count(hosts.now, in_flight=2) == 1
        hosts.pool.give(first)
        assert permits.count(hosts.now, in_flight=2) == 1
        assert await hosts.pool.take() is first

    play(scene)


def test_after_a_while_one_more_is_tried_and_ever_more_seldom(play):
    async def scene(hosts):
        permits = Permits(Pace.of(0.0, 0), "relay", hosts.pool)
        await fill(hosts)
        for seconds in FULL_SECONDS, 2 * FULL_SECONDS, 4 * FULL_SECONDS:
            assert permits.wait_seconds(hosts.now) == seconds
            assert permits.count(hosts.now, in_flight=3) == 0
            hosts.now += seconds
            assert permits.wait_seconds(hosts.now) == 0
            assert permits.count(hosts.now, in_flight=3) == 1
            with pytest.raises(Full):
                await hosts.pool.take()

    play(scene)


def test_it_is_never_left_alone_for_long(play):
    async def scene(hosts):
        await fill(hosts)
        for _ in range(20):
            hosts.now += LONGEST_FULL_SECONDS
            with pytest.raises(Full):
                await hosts.pool.take()
        assert hosts.pool.full_seconds == LONGEST_FULL_SECONDS

    play(scene)


def test_whoever_is_let_in_again_is_followed_by_others_at_once(play):
    async def scene(hosts):
        await fill(hosts)
        hosts.now += FULL_SECONDS
        hosts.full = set()
        for more in 1, 2, 3:
            assert hosts.pool.free(in_flight=2 + more) == 1
            await hosts.pool.take()

    play(scene)


def test_when_none_is_left_the_next_ones_find_out_how_the_relay_is(play):
    async def scene(hosts):
        for each in await fill(hosts):
            each.usable = False
            hosts.pool.give(each)
        assert hosts.pool.free(in_flight=0) is None
        with pytest.raises(RelayFault):
            await hosts.pool.take()

    play(scene)


def test_the_next_host_takes_what_a_full_one_does_not(play):
    async def scene(hosts):
        in_use = await hosts.pool.take()
        hosts.full = {ONE}
        assert (await hosts.pool.take()).relay == TWO
        assert hosts.failover.first == ONE == in_use.relay, "it is not paused"
        assert hosts.pool.free(in_flight=2) is None

    play(scene)


def test_the_log_says_so_once_an_hour(play, caplog):
    async def scene(hosts):
        for _ in range(3):
            await fill(hosts)
            hosts.full = set()
        told = "fewer than MAILDROP_CONCURRENCY"
        assert caplog.text.count(told) == 1
        hosts.now += TELL_SECONDS
        await fill(hosts)
        assert caplog.text.count(told) == 2

    play(scene)
