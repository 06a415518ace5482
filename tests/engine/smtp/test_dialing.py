"""A relay with several addresses; TLS from the first byte, which it may not expect."""

from __future__ import annotations

import asyncio
import socket
import ssl
import threading
from contextlib import contextmanager, suppress

import pytest
from engine.smtp.connections import MAIL
from servers.scripted import Scripted
from servers.silent import silent
from waiting import PATIENCE_SECONDS, until

from collective.maildrophost.engine.config import RelayAddress
from collective.maildrophost.engine.smtp import (
    Connection,
    Phase,
    RelayFault,
    Security,
    Timeouts,
    dialing,
)
from collective.maildrophost.engine.smtp.channel import Channel, describe
from collective.maildrophost.engine.smtp.dialing import dial
from collective.maildrophost.engine.smtp.fault import fault_to_tell
from collective.maildrophost.engine.smtp.replies import Replies
from collective.maildrophost.engine.smtp.tls import client_context

CONTEXT = client_context(RelayAddress("127.0.0.1", 465), False, "")


@pytest.mark.parametrize(
    ("phase", "told"),
    [(Phase.CONNECT, "first"), (Phase.GREETING, "first"), (Phase.AUTH, "last")],
)
def test_of_several_addresses_the_first_that_gave_a_reason_is_reported(phase, told):
    relay = RelayAddress("127.0.0.1", 25)
    first = RelayFault(relay, Phase.GREETING, "first")
    assert fault_to_tell(first, RelayFault(relay, phase, "last")).reason == told


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
        await until(lambda: not channel.alive, "the loss of the connection")
        await asyncio.wait_for(
            channel.start_tls(CONTEXT, "relay.test"), PATIENCE_SECONDS
        )

    with (
        socket.create_server(("127.0.0.1", 0)) as listener,
        pytest.raises(ConnectionResetError, match="the relay closed the connection"),
    ):
        asyncio.run(meet(listener))


def test_a_relay_that_hangs_up_in_the_handshake_is_reported_in_words():
    async def hang_up(reader, writer):
        await reader.read(1)
        writer.close()

    async def meet():
        async with await asyncio.start_server(hang_up, "127.0.0.1", 0) as server:
            channel = Channel(Replies(), Timeouts())
            port = server.sockets[0].getsockname()[1]
            await dial(channel, "127.0.0.1", port, None)
            await channel.start_tls(CONTEXT, "relay.test")

    with pytest.raises(ConnectionResetError) as raised:
        asyncio.run(meet())
    assert describe(raised.value) in (
        "the relay closed the connection",
        "Connection reset by peer",
    )


def test_a_greeting_where_tls_should_begin_is_reported_in_words():
    """Port 587 with MAILDROP_TLS=3."""

    async def greet(reader, writer):
        await reader.read(1)
        writer.write(b"220 relay.test ESMTP\r\n")
        writer.close()  # Python 3.12 waits for it, and closes nothing by itself

    async def meet():
        async with await asyncio.start_server(greet, "127.0.0.1", 0) as server:
            port = server.sockets[0].getsockname()[1]
            await dial(Channel(Replies(), Timeouts()), "127.0.0.1", port, CONTEXT)

    with pytest.raises(ssl.SSLError) as raised:
        asyncio.run(meet())
    assert describe(raised.value) == "the relay speaks in clear where TLS was to begin"


def test_what_went_wrong_is_one_printable_line():
    assert describe(ssl.SSLError(1, "no\r\nMAIL \x1b[2J")) == "no MAIL ?[2J"


@pytest.fixture
def resolve(monkeypatch):
    """Gives every name these addresses."""

    def resolved(*addresses):
        kind = (socket.AF_INET, socket.SOCK_STREAM, 6, "")
        found = [(*kind, (address, 0)) for address in addresses]

        # At once: here it is the connections that have to be made in time.
        async def look_up(host):
            return found

        monkeypatch.setattr(dialing, "look_up", look_up)

    return resolved


async def fault_of(relay: RelayAddress, **timeouts: float) -> str:
    with pytest.raises(RelayFault) as raised:
        await Connection.open(relay, Security(), timeouts=Timeouts(**timeouts))
    return raised.value.reason


def test_the_reason_of_each_address_is_reported(resolve, unused_port):
    """The last alone often says nothing: on a machine without IPv6 that comes last."""
    relay = RelayAddress("two.test", unused_port)
    no_way = "224.0.0.1"  # a group, to which there is no connection
    resolve("127.0.0.1", no_way)
    refused = "127.0.0.1: Connection refused"
    assert (
        asyncio.run(fault_of(relay)) == f"{refused}; {no_way}: Network is unreachable"
    )
    resolve("127.0.0.1", "127.0.0.2")
    assert asyncio.run(fault_of(relay)) == "Connection refused"


async def hears(server, connect: float) -> bool:
    """Whether a connection to a name with its address was made in time."""
    name = RelayAddress("two.test", server.port)
    opening = Connection.open(name, Security(), timeouts=Timeouts(connect=connect))
    connection = await asyncio.wait_for(opening, PATIENCE_SECONDS)
    await connection.quit()
    return True


def test_an_address_that_says_nothing_holds_up_no_connection_for_long(
    run, resolve, monkeypatch
):
    """As where IPv6 was lost: a password reset took half a minute."""
    # Who is later than that waits for the other address once more, which is dead.
    monkeypatch.setattr(dialing, "SOON_SECONDS", 1.0)
    resolve("127.0.0.2", "127.0.0.1")
    with Scripted() as server, silent("127.0.0.2", server.port):
        assert run(hears(server, connect=3600))


def test_an_address_that_is_slow_has_its_time_when_no_other_answers(
    run, resolve, monkeypatch
):
    monkeypatch.setattr(dialing, "SOON_SECONDS", 0.1)
    resolve("127.0.0.1", "127.0.0.2")
    with silent("127.0.0.1") as port:
        reason = run(fault_of(RelayAddress("two.test", port), connect=0.3))
    slow = "127.0.0.1: no connection within 0.3 seconds"
    assert reason == f"{slow}; 127.0.0.2: Connection refused"


def test_several_slow_addresses_have_their_time_side_by_side(run, resolve, monkeypatch):
    """Sixteen behind a firewall that drops packets took eight minutes, each time."""

    async def none_answers_soon(*_):
        raise TimeoutError

    monkeypatch.setattr(dialing, "_connect", none_answers_soon)
    resolve("127.0.0.2", "127.0.0.3", "127.0.0.1")
    with (
        Scripted() as server,
        silent("127.0.0.2", server.port),
        silent("127.0.0.3", server.port),
    ):
        assert run(hears(server, connect=3600))


@contextmanager
def greets(words: bytes, port: int):
    """Somebody else at another address of this machine, with the same port."""

    def greet(listener):
        with suppress(OSError):
            while True:
                client, _ = listener.accept()
                client.sendall(words)
                client.close()

    with socket.create_server(("127.0.0.2", port)) as listener:
        greeting = threading.Thread(target=greet, args=(listener,), daemon=True)
        greeting.start()
        yield
        # Closing alone would leave it to whoever gets the port next.
        listener.shutdown(socket.SHUT_RDWR)
        greeting.join()


@pytest.mark.parametrize("words", [b"421 4.3.2 down\r\n", b"554 no\r\n", b""])
def test_the_next_address_is_tried_when_the_first_does_not_greet(run, resolve, words):
    """RFC 5321 section 5.1; as with one of several machines under maintenance."""
    resolve("127.0.0.2", "127.0.0.1")
    with Scripted() as server, greets(words, server.port):
        assert run(hears(server, connect=PATIENCE_SECONDS))


@pytest.mark.parametrize("other", ["127.0.0.2", "127.0.0.3"])
def test_what_the_first_address_said_is_reported_when_no_other_says_more(
    resolve, other
):
    resolve("127.0.0.2", other)
    with Scripted() as server, greets(b"421 4.3.2 down\r\n", server.port):
        relay = RelayAddress("two.test", server.port)
        assert asyncio.run(fault_of(relay)) == "421 4.3.2 down"


def test_what_a_later_address_says_after_its_greeting_is_reported(resolve):
    resolve("127.0.0.2", "127.0.0.1")
    with (
        Scripted({"EHLO": "421 4.7.0 not you"}) as server,
        greets(b"421 4.3.2 down\r\n", server.port),
    ):
        relay = RelayAddress("two.test", server.port)
        assert asyncio.run(fault_of(relay)) == "421 4.7.0 not you"


def test_the_next_address_is_tried_when_the_first_vanishes_in_the_handshake(
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


def test_no_other_address_is_tried_when_the_first_is_not_to_be_trusted(
    fault, certificates, resolve
):
    """It was the relay that answered: a person has to see to its certificate."""
    resolve("127.0.0.1", "127.0.0.2")
    with Scripted(certificates=certificates, implicit_tls=True) as server:
        raised = fault(server, host="two.test", tls=3)
    assert raised.phase is Phase.HANDSHAKE
    assert raised.permanent
