"""What the channel promises of a real transport."""

from __future__ import annotations

import asyncio
import socket
import struct
import threading
from contextlib import suppress

import pytest
from waiting import PATIENCE_SECONDS

from collective.maildrophost.engine.config import RelayAddress
from collective.maildrophost.engine.smtp import Phase, Timeouts
from collective.maildrophost.engine.smtp.channel import Channel
from collective.maildrophost.engine.smtp.dialing import dial
from collective.maildrophost.engine.smtp.replies import Replies
from collective.maildrophost.engine.smtp.steps import Broken, Expect, Send
from collective.maildrophost.engine.smtp.tls import client_context

PIECE = Send(b"x" * 32_768, Phase.CONTENT)
TRUSTING = client_context(RelayAddress("127.0.0.1", 465), False, "")


def read_late(listener, context, event, arrived):
    """A relay that reads nothing before `event`, and all after it."""
    relay, _ = listener.accept()
    if context is not None:
        relay = context.wrap_socket(relay, server_side=True)
    event.wait(PATIENCE_SECONDS)
    with suppress(OSError):  # Half a record of TLS is one.
        while data := relay.recv(65_536):
            arrived.append(len(data))


def test_what_is_said_to_have_left_is_in_the_kernels_hands():
    """Else a drop would mark a possible duplicate although the dot was still here."""

    async def fill(port):
        channel = Channel(Replies(), Timeouts(content=0.2))
        loop = asyncio.get_running_loop()
        transport, _ = await loop.create_connection(lambda: channel, "127.0.0.1", port)
        sent = []

        async def until_it_is_full():
            while await channel.send(PIECE):
                sent.append(PIECE)
                assert transport.get_write_buffer_size() == 0

        with pytest.raises(Broken, match=r"within 0\.2 seconds"):
            await until_it_is_full()
        channel.abort()
        return sent

    with socket.create_server(("127.0.0.1", 0)) as silent:
        assert asyncio.run(fill(silent.getsockname()[1]))


@pytest.mark.parametrize("encrypted", [False, True])
def test_what_is_said_to_have_left_arrives_whatever_becomes_of_us(
    run, certificates, encrypted
):
    given_up, arrived = threading.Event(), []

    async def fill(address):
        channel = Channel(Replies(), Timeouts(content=0.2))
        await dial(channel, *address, TRUSTING if encrypted else None)
        pieces = 0
        with suppress(Broken):
            while await channel.send(PIECE):
                pieces += 1
        channel.abort()
        return pieces

    context = certificates.server_context if encrypted else None
    with socket.create_server(("127.0.0.1", 0)) as listener:
        late = (listener, context, given_up, arrived)
        reading = threading.Thread(target=read_late, args=late)
        reading.start()
        pieces = run(fill(listener.getsockname()))
        given_up.set()
        reading.join(PATIENCE_SECONDS)
    assert sum(arrived) >= pieces * len(PIECE.data) > 0


def test_what_tls_still_holds_back_has_not_left(run):
    """As while the relay asks for new keys: the socket's buffer is empty then."""

    async def send(address):
        channel = Channel(Replies(), Timeouts(content=0.2))
        await dial(channel, *address, None)
        channel.pause_writing()
        try:
            await channel.send(Send(b"x", Phase.CONTENT))
        finally:
            channel.abort()

    with (
        socket.create_server(("127.0.0.1", 0)) as listener,
        pytest.raises(Broken, match=r"within 0\.2 seconds"),
    ):
        run(send(listener.getsockname()))


def test_what_a_reply_interrupts_has_not_all_left(run):
    """Else a 250 that comes before the last dot would count as the answer to it."""

    async def interrupt(listener):
        channel = Channel(Replies(), Timeouts())
        await dial(channel, *listener.getsockname(), None)
        relay, _ = listener.accept()
        blocked = set()
        while not blocked:
            sending = asyncio.ensure_future(channel.send(PIECE))
            _, blocked = await asyncio.wait([sending], timeout=0.2)
        with relay:
            relay.sendall(b"250 ok\r\n")
            all_left = await sending
            channel.abort()
        return all_left

    with socket.create_server(("127.0.0.1", 0)) as listener:
        assert not run(interrupt(listener))


@pytest.mark.parametrize("encrypted", [False, True])
def test_an_upload_goes_on_as_soon_as_the_relay_reads_on(run, certificates, encrypted):
    reads_on = threading.Event()

    async def fill(address):
        channel = Channel(Replies(), Timeouts(content=PATIENCE_SECONDS))
        await dial(channel, *address, TRUSTING if encrypted else None)
        left = {"any"}
        while left:
            sending = asyncio.ensure_future(channel.send(PIECE))
            left, _ = await asyncio.wait([sending], timeout=0.2)
        reads_on.set()
        try:
            return await sending
        finally:
            channel.abort()

    context = certificates.server_context if encrypted else None
    with socket.create_server(("127.0.0.1", 0)) as listener:
        late = (listener, context, reads_on, [])
        reading = threading.Thread(target=read_late, args=late)
        reading.start()
        assert run(fill(listener.getsockname()))
        reading.join(PATIENCE_SECONDS)


@pytest.mark.parametrize("encrypted", [False, True])
def test_bytes_for_a_connection_that_is_gone_have_not_left(certificates, encrypted):
    """Else a drop before the last dot would be marked as a possible duplicate."""
    ready, accepted = threading.Event(), []

    def accept(listener):
        relay, _ = listener.accept()
        if encrypted:
            relay = certificates.server_context.wrap_socket(relay, server_side=True)
        accepted.append(relay)
        ready.set()

    async def write_after_reset(listener):
        channel = Channel(Replies(), Timeouts())
        threading.Thread(target=accept, args=(listener,)).start()
        context = TRUSTING if encrypted else None
        await dial(channel, *listener.getsockname(), context)
        ready.wait(PATIENCE_SECONDS)
        [relay] = accepted
        relay.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        relay.close()
        # The loop has had no turn to hear of the reset: the write itself fails.
        await channel.send(PIECE)

    with socket.create_server(("127.0.0.1", 0)) as listener, pytest.raises(Broken):
        asyncio.run(write_after_reset(listener))


def test_the_loss_of_an_abandoned_connection_is_not_taken_for_that_of_the_next():
    """TLS reports a loss late: another address may have answered by then."""

    async def go_on(listener):
        channel = Channel(Replies(), Timeouts())
        await dial(channel, *listener.getsockname(), None)
        channel.connection_lost(None)
        alive = channel.alive
        channel.abort()
        return alive

    with socket.create_server(("127.0.0.1", 0)) as listener:
        assert asyncio.run(go_on(listener))


def test_a_relay_cannot_drag_out_a_reply_line_by_line():
    async def drip(reader, writer):
        try:
            while True:
                writer.write(b"250-still\r\n")
                await writer.drain()
                await asyncio.sleep(0.02)
        except OSError:
            writer.close()

    async def listen():
        channel = Channel(Replies(), Timeouts(mail=0.2))
        loop = asyncio.get_running_loop()
        server = await asyncio.start_server(drip, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        await loop.create_connection(lambda: channel, "127.0.0.1", port)
        try:
            await asyncio.wait_for(channel.expect(Expect(Phase.MAIL)), PATIENCE_SECONDS)
        finally:
            channel.abort()
            server.close()

    with pytest.raises(Broken, match=r"within 0\.2 seconds"):
        asyncio.run(listen())
