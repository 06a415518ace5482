"""What leaves, or does not, in the turn of the loop in which a connection is closed."""

from __future__ import annotations

import asyncio
import socket
import sys
from contextlib import suppress
from types import SimpleNamespace

import pytest
from engine.smtp.connections import MAIL, connected

from collective.maildrophost.engine.smtp import Phase, Timeouts
from collective.maildrophost.engine.smtp.channel import Channel
from collective.maildrophost.engine.smtp.dialing import dial
from collective.maildrophost.engine.smtp.kernel import _number, _unsent_octets
from collective.maildrophost.engine.smtp.replies import Replies
from collective.maildrophost.engine.smtp.steps import Broken, Send

CONTENT = b"Subject: large\r\n\r\n" + b"work and no play\r\n" * 3000
LARGE = Send(b"x" * 10_000_000 + b"\r\n.\r\n", Phase.CONTENT)


@pytest.fixture
def listener():
    """Of a relay that keeps most of an upload waiting."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        yield listener


def drain(relay):
    """How much there is to read now."""
    arrived = 0
    with suppress(OSError):
        while data := relay.recv(65_536):
            arrived += len(data)
    return arrived


def test_what_the_kernel_has_not_got_stays_here(run, listener):
    """Else the last dot would leave with it, if the relay reads in that very turn."""

    async def give_up():
        channel = Channel(Replies(), Timeouts())
        await dial(channel, *listener.getsockname(), None)
        relay, _ = listener.accept()
        with relay:
            relay.setblocking(False)
            sending = asyncio.ensure_future(channel.send(LARGE))
            kept = all_of_it = len(LARGE.data)
            while kept == all_of_it:
                await asyncio.sleep(0)
                kept = channel._bare.get_write_buffer_size() or all_of_it
            channel.abort()
            arrived = drain(relay)
            with pytest.raises(Broken):
                await sending
            assert arrived + drain(relay) <= all_of_it - kept

    run(give_up())


async def asked(relay, word):
    """Until the relay has read `word`."""
    said = b""
    while word not in said:
        said += await asyncio.get_running_loop().sock_recv(relay, 65_536)


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells")
def test_content_that_leaves_while_it_is_closed_may_have_arrived(run, listener):
    """Else a stop would give a mail back unmarked that the relay has."""
    server = SimpleNamespace(port=listener.getsockname()[1])

    async def cut_short():
        opening = asyncio.ensure_future(connected(server))
        relay, _ = await asyncio.get_running_loop().sock_accept(listener)
        with relay:
            relay.setblocking(False)
            relay.sendall(b"220 ready\r\n")
            await asked(relay, b"EHLO")
            relay.sendall(b"250-relay\r\n250 PIPELINING\r\n")
            connection = await opening
            delivering = asyncio.ensure_future(connection.deliver(*MAIL, CONTENT))
            await asked(relay, b"DATA")
            relay.sendall(b"250 ok\r\n" * 3 + b"354 go\r\n")
            bare = connection._channel._bare
            while not _unsent_octets(_number(bare)) or bare.get_write_buffer_size():
                await asyncio.sleep(0)
            await asyncio.sleep(0)
            connection.cut_short()
            # Right after the step has ended, which asks the kernel what has left.
            arrived = asyncio.get_running_loop().create_future()
            asyncio.get_running_loop().call_soon(
                lambda: arrived.set_result(drain(relay))
            )
            result = await delivering
            return await arrived, result

    listener.setblocking(False)
    arrived, result = run(cut_short())
    assert arrived >= len(CONTENT)
    assert result.possible_duplicate
