"""A relay whose addresses are slow to answer: each of them has its full time."""

from __future__ import annotations

import asyncio
import socket

import pytest
from servers.silent import silent
from waiting import PATIENCE_SECONDS, until

from collective.maildrophost.engine.config import RelayAddress
from collective.maildrophost.engine.smtp import Timeouts, dialing
from collective.maildrophost.engine.smtp.channel import Channel
from collective.maildrophost.engine.smtp.dialing import dial
from collective.maildrophost.engine.smtp.replies import Replies
from collective.maildrophost.engine.smtp.tls import client_context

CONTEXT = client_context(RelayAddress("127.0.0.1", 465), False, "")


@pytest.fixture
def all_slow(monkeypatch):
    """No address answers soon."""

    async def connect(*_):
        raise TimeoutError

    monkeypatch.setattr(dialing, "_connect", connect)


@pytest.fixture
def both_answer(monkeypatch):
    """Two addresses have answered before one of them is chosen, however slow it goes.

    uvloop looks up each address in a thread: one could be there, and the other be given
    up before it has even been called.
    """
    answer = dialing._answer

    async def once_both_have(calls, *given):
        await until(lambda: sum(call.done() for call in calls) == 2, "both answers")
        return await answer(calls, *given)

    monkeypatch.setattr(dialing, "_answer", once_both_have)


def test_of_the_connections_that_are_tried_at_once_one_is_kept(
    run, all_slow, both_answer
):
    """The others would last as long as the daemon, at both ends."""

    async def meet(one, two):
        before, port = asyncio.all_tasks(), one.getsockname()[1]
        channel = Channel(Replies(), Timeouts(connect=3600))
        addresses = [(socket.AF_INET, f"127.0.0.{each}") for each in (1, 2, 3)]
        await dial(channel, "relay.test", port, None, addresses)
        other = two if channel.peer() == "127.0.0.1" else one
        assert await asyncio.to_thread(is_hung_up, other)
        await until(lambda: not asyncio.all_tasks() - before, "the end of each try")
        channel.abort()

    with (
        socket.create_server(("127.0.0.1", 0)) as one,
        socket.create_server(("127.0.0.2", one.getsockname()[1])) as two,
        silent("127.0.0.3", one.getsockname()[1]),
    ):
        run(asyncio.wait_for(meet(one, two), PATIENCE_SECONDS))


def is_hung_up(listener):
    listener.settimeout(PATIENCE_SECONDS)
    client, _ = listener.accept()
    with client:
        client.settimeout(PATIENCE_SECONDS)
        return client.recv(1) == b""


async def meet_one_of_two(context):
    """What dialing a relay with two addresses returns, both of which can be reached."""
    channel = Channel(Replies(), Timeouts())
    addresses = [(socket.AF_INET, f"127.0.0.{each}") for each in (1, 2)]
    with (
        socket.create_server(("127.0.0.1", 0)) as one,
        socket.create_server(("127.0.0.2", one.getsockname()[1])),
    ):
        port = one.getsockname()[1]
        try:
            return await dial(channel, "relay.test", port, context, addresses)
        finally:
            channel.abort()


def test_each_slow_address_has_its_turn_when_another_is_of_no_use(
    run, all_slow, monkeypatch
):
    """It hangs up in the handshake, as a load balancer with nobody behind it does."""

    async def hang_up(*_):
        tried.append(1)
        raise ConnectionResetError("closed in the handshake")

    tried = []
    monkeypatch.setattr(Channel, "start_tls", hang_up)
    with pytest.raises(OSError, match="closed in the handshake"):
        run(meet_one_of_two(CONTEXT))
    assert tried == [1, 1]


def test_a_connection_that_breaks_as_it_is_taken_costs_no_other_its_turn(
    run, all_slow, monkeypatch
):
    """Its socket was connected, and the relay is gone again."""
    take, taken = dialing._take, []

    async def break_once(channel, connected, seconds):
        taken.append(connected)
        if len(taken) == 1:
            connected.close()
            raise ConnectionResetError("gone again")
        await take(channel, connected, seconds)

    monkeypatch.setattr(dialing, "_take", break_once)
    assert run(meet_one_of_two(None)) == []
    assert len(taken) == 2


LATE, DEAD, NEW = ((socket.AF_INET, f"192.0.2.{each}") for each in (1, 2, 3))
REASONS = {LATE: TimeoutError(), DEAD: ConnectionRefusedError()}


def test_only_a_late_address_is_tried_again_and_has_its_full_time(monkeypatch):
    def tries(addresses, seconds):
        return asyncio.run(_tries(addresses, seconds, monkeypatch))

    soon = dialing.SOON_SECONDS
    assert tries([LATE, DEAD], 30.0) == [(LATE, soon), (DEAD, soon), ([LATE], 30.0)]
    assert tries([LATE], 30.0) == [(LATE, 30.0)]
    assert tries([LATE, DEAD], 0.5) == [(LATE, 0.5), (DEAD, 0.5)]


async def _tries(addresses, seconds, monkeypatch):
    """Who is tried for how long when none answers; at the end, all that are left."""
    tried = []

    async def connect(_channel, address, _port, seconds):
        tried.append((address, seconds))
        raise REASONS[address]

    async def first_of(addresses, _port, seconds, _reasons):
        tried.append((addresses, seconds))

    monkeypatch.setattr(dialing, "_connect", connect)
    monkeypatch.setattr(dialing, "_first_of", first_of)
    channel = Channel(Replies(), Timeouts(connect=seconds))
    assert [each async for each in dialing._answered(channel, addresses, 25, {})] == []
    return tried


def test_late_and_new_addresses_are_left_when_the_one_that_answered_is_of_no_use():
    used = (socket.AF_INET, "192.0.2.9")
    assert dialing._left([LATE, DEAD, used, NEW], used, REASONS) == [LATE, NEW]
