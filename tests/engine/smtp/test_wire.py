"""What a relay says before it resets the connection is heard, on either event loop."""

from __future__ import annotations

import asyncio
import os
import socket
import threading

import pytest
from engine.smtp.connections import LARGE, MAIL
from servers.scripted import Drop, Scripted
from waiting import PATIENCE_SECONDS, until

from collective.maildrophost.engine.config import RelayAddress
from collective.maildrophost.engine.smtp import Connection, Phase, Security, Timeouts
from collective.maildrophost.engine.smtp.channel import Channel
from collective.maildrophost.engine.smtp.dialing import dial
from collective.maildrophost.engine.smtp.replies import Replies
from collective.maildrophost.engine.smtp.steps import Expect, Send
from collective.maildrophost.engine.smtp.tls import client_context
from collective.maildrophost.engine.smtp.wire import Wire

PIECE = Send(b"x" * 1024, Phase.CONTENT)
REFUSAL = b"552 5.3.4 too big\r\n"


def open_files():
    return len(os.listdir("/proc/self/fd"))


@pytest.mark.parametrize("tls", [0, 2, 3])
def test_the_refusal_of_an_upload_is_heard_before_the_connection_breaks(
    run, certificates, tls
):
    """Else it would be repeated until the lifetime of the message ends."""

    async def upload(server):
        security = Security(tls=tls, ca_file=certificates.ca_file)
        relay = RelayAddress("127.0.0.1", server.port)
        connection = await Connection.open(relay, security)
        result = await connection.deliver(*MAIL, LARGE)
        await connection.quit()
        return result.verdicts[0].reply

    async def upload_again_and_again(server):
        replies = [await upload(server)]
        before = open_files()
        replies += [await upload(server) for _ in range(8)]
        # What is closed is closed in a later turn of the loop, and by the server's
        # threads.
        await until(lambda: open_files() <= before, "the end of each connection")
        return replies

    relay = {"certificates": certificates, "implicit_tls": tls == 3}
    with Scripted(during=(100_000, Drop(REFUSAL)), **relay) as server:
        uploads = upload_again_and_again(server)
        replies = run(asyncio.wait_for(uploads, PATIENCE_SECONDS))
    assert replies == ["552 5.3.4 too big"] * 9


@pytest.mark.parametrize("encrypted", [False, True])
def test_the_write_that_meets_the_reset_takes_no_reply_away(
    run, certificates, encrypted
):
    relay = RelayAddress("127.0.0.1", 25)
    context = client_context(relay, True, certificates.ca_file) if encrypted else None
    uploading = threading.Event()

    def refuse(listener):
        client, _ = listener.accept()
        # Else the reset may take away a refusal that still waits to leave.
        client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if encrypted:
            client = certificates.server_context.wrap_socket(client, server_side=True)
        uploading.wait(PATIENCE_SECONDS)
        client.sendall(REFUSAL)
        client.close()  # The piece was not read: a reset.

    async def upload(port, refusing):
        channel = Channel(Replies(), Timeouts())
        await dial(channel, "127.0.0.1", port, context)
        assert await channel.send(PIECE)
        await asyncio.sleep(0.05)  # uvloop writes in a later turn.
        uploading.set()
        refusing.join(PATIENCE_SECONDS)
        # The loop has had no turn to hear of refusal and reset.
        await channel.send(PIECE)
        reply = await channel.expect(Expect(Phase.CONTENT))
        channel.abort()
        return reply.code

    with socket.create_server(("127.0.0.1", 0)) as listener:
        refusing = threading.Thread(target=refuse, args=(listener,))
        refusing.start()
        assert run(upload(listener.getsockname()[1], refusing)) == 552


def test_a_wire_fills_the_buffers_of_its_protocol_however_small_they_are():
    class Buffered(asyncio.BufferedProtocol):
        def __init__(self):
            self.buffer = bytearray(5)
            self.heard = b""

        def get_buffer(self, sizehint):
            return self.buffer

        def buffer_updated(self, nbytes):
            self.heard += self.buffer[:nbytes]

    protocol = Buffered()
    Wire(protocol, print, print).data_received(b"250-one\r\n250 two\r\n")
    assert protocol.heard == b"250-one\r\n250 two\r\n"
