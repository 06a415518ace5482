"""What leaves, or does not, in the turn of the loop in which a connection is closed."""

from __future__ import annotations

import asyncio
import socket
from contextlib import suppress

import pytest

from collective.maildrophost.engine.smtp import Phase, Timeouts
from collective.maildrophost.engine.smtp.channel import Channel
from collective.maildrophost.engine.smtp.dialing import dial
from collective.maildrophost.engine.smtp.replies import Replies
from collective.maildrophost.engine.smtp.steps import Broken, Send

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
