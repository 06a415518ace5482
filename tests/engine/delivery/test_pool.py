"""Connections that wait for their next message."""

from __future__ import annotations

import asyncio

from engine.delivery.hosts import ONE

from collective.maildrophost.engine.delivery import pool
from collective.maildrophost.engine.delivery.pool import Pool


async def others_have_their_turn():
    for _ in range(5):
        await asyncio.sleep(0)


def test_a_connection_that_waits_too_long_is_closed(play, monkeypatch):
    monkeypatch.setattr(pool, "IDLE_SECONDS", 0.0)

    async def scene(hosts):
        waiting = await hosts.pool.take()
        hosts.pool.give(waiting)
        await others_have_their_turn()
        assert waiting.closed == 1
        assert await hosts.pool.take() is not waiting

    play(scene, ONE)


def test_a_connection_that_has_its_next_message_is_not_closed_for_waiting(
    play, monkeypatch
):
    monkeypatch.setattr(pool, "IDLE_SECONDS", 0.0)

    async def scene(hosts):
        taken = await hosts.pool.take()
        hosts.pool.give(taken)
        assert await hosts.pool.take() is taken
        await others_have_their_turn()
        assert taken.closed == 0

    play(scene, ONE)


def test_a_connection_that_broke_while_it_waited_is_closed(play):
    async def scene(hosts):
        broken = await hosts.pool.take()
        hosts.pool.give(broken)
        broken.usable = False
        assert await hosts.pool.take() is not broken
        await others_have_their_turn()
        assert broken.closed == 1

    play(scene, ONE)


def test_a_connection_that_has_had_its_batch_is_closed(play):
    async def scene(hosts):
        hosts.pool = Pool(hosts.failover, batch=2)
        used = await hosts.pool.take()
        used.served = 1
        hosts.pool.give(used)
        assert await hosts.pool.take() is used
        used.served = 2
        hosts.pool.give(used)
        assert await hosts.pool.take() is not used
        await others_have_their_turn()
        assert used.closed == 1

    play(scene, ONE)
