"""A relay with several addresses; TLS from the first byte, which it may not expect."""

from __future__ import annotations

import asyncio
import socket
import ssl
import threading

import pytest
from engine.smtp.connections import MAIL
from servers.scripted import Scripted

from collective.maildrophost.engine.config import RelayAddress
from collective.maildrophost.engine.smtp import (
    Connection,
    RelayFault,
    Security,
    Timeouts,
)
from collective.maildrophost.engine.smtp.channel import Channel
from collective.maildrophost.engine.smtp.dialing import dial
from collective.maildrophost.engine.smtp.replies import Replies
from collective.maildrophost.engine.smtp.tls import client_context

CONTEXT = client_context(RelayAddress("127.0.0.1", 465), False, "")


def test_what_came_in_clear_is_never_taken_for_an_answer_over_tls(certificates):
    async def meet(server):
        channel = Channel(Replies(), Timeouts())
        channel.replies.feed(b"220 an answer of somebody in between\r\n")
        try:
            await dial(channel, "127.0.0.1", server.port, CONTEXT)
        finally:
            channel.abort()

    with (
        Scripted(certificates=certificates, implicit_tls=True) as server,
        pytest.raises(ssl.SSLError, match="speaks in clear"),
    ):
        asyncio.run(meet(server))


def test_no_handshake_waits_for_a_relay_that_has_gone():
    async def meet(listener):
        channel = Channel(Replies(), Timeouts())
        await dial(channel, "127.0.0.1", listener.getsockname()[1], None)
        listener.accept()[0].close()
        while channel.alive:
            await asyncio.sleep(0.01)
        await asyncio.wait_for(channel.start_tls(CONTEXT, "relay.test"), 5)

    with (
        socket.create_server(("127.0.0.1", 0)) as listener,
        pytest.raises(ConnectionResetError, match="the relay closed the connection"),
    ):
        asyncio.run(meet(listener))


@pytest.fixture
def resolve(monkeypatch):
    """Gives every name these addresses."""

    def resolved(*addresses):
        kind = (socket.AF_INET, socket.SOCK_STREAM, 6, "")
        found = [(*kind, (address, 0)) for address in addresses]
        monkeypatch.setattr(socket, "getaddrinfo", lambda *args, **kwargs: found)

    return resolved


def test_the_reason_of_each_address_is_told(resolve, unused_port):
    """The last one's alone is often none: a machine without IPv6 has it last."""

    async def meet():
        with pytest.raises(RelayFault) as raised:
            await Connection.open(RelayAddress("two.test", unused_port), Security())
        return raised.value.reason

    no_way = "224.0.0.1"  # a group, to which there is no connection
    resolve("127.0.0.1", no_way)
    refused = "127.0.0.1: Connection refused"
    assert asyncio.run(meet()) == f"{refused}; {no_way}: Network is unreachable"
    resolve("127.0.0.1", "127.0.0.2")
    assert asyncio.run(meet()) == "Connection refused"


def test_the_next_address_is_tried_when_the_first_goes_away_in_the_handshake(
    exchange, outcomes, certificates, resolve
):
    def go_away(listener):
        client, _ = listener.accept()
        client.recv(1024)
        client.close()

    with (
        Scripted(certificates=certificates, implicit_tls=True) as server,
        socket.create_server(("127.0.0.2", server.port)) as listener,
    ):
        threading.Thread(target=go_away, args=(listener,), daemon=True).start()
        resolve("127.0.0.2", "127.0.0.1")
        done = exchange(server, MAIL, host="two.test", tls=3, verify=False)
        assert outcomes(done.results[0]) == ["sent", "sent"]
