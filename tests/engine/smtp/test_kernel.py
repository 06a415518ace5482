"""What the kernel still has when a connection ends, on either event loop."""

from __future__ import annotations

import asyncio
import errno
import fcntl
import resource
import socket
import sys
import threading
from contextlib import contextmanager, nullcontext, suppress

import pytest
from engine.smtp.driving import drive, session
from engine.smtp.transactions import CONTENT, TWO, lines, words
from waiting import PATIENCE_SECONDS

from collective.maildrophost.engine.config import RelayAddress
from collective.maildrophost.engine.smtp import Phase, Timeouts
from collective.maildrophost.engine.smtp.channel import Channel
from collective.maildrophost.engine.smtp.dialing import dial
from collective.maildrophost.engine.smtp.kernel import own_socket, strand
from collective.maildrophost.engine.smtp.replies import Replies
from collective.maildrophost.engine.smtp.steps import Broken, Expect, Send, Stranded
from collective.maildrophost.engine.smtp.tls import client_context
from collective.maildrophost.engine.smtp.transaction import deliver

TRUSTING = client_context(RelayAddress("127.0.0.1", 465), False, "")
END = Expect(Phase.END)
DOT = Send(b".\r\n", Phase.CONTENT)
UPLOAD = Send(b"x" * 300_000 + b"\r\n.\r\n", Phase.CONTENT)

on_linux = pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells")


class Unread:
    """A relay that reads nothing while its client uploads, then ends the connection.

    `arrived` is what it finds when it reads once its client has given up.
    """

    def __init__(self, end, context=None):
        self.arrived = 0
        self.accepted = threading.Event()
        self.uploaded = threading.Event()
        self.ended = threading.Event()
        self.given_up = threading.Event()
        self._end, self._context = end, context
        self._listener = socket.create_server(("127.0.0.1", 0))
        # Most of an upload then stays with the client's kernel.
        self._listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        self.address = self._listener.getsockname()
        self._serving = threading.Thread(target=self._serve)

    def __enter__(self):
        self._serving.start()
        return self

    def __exit__(self, *_):
        self.uploaded.set()
        self.given_up.set()
        self._serving.join(PATIENCE_SECONDS)
        self._listener.close()

    def _serve(self):
        relay, _ = self._listener.accept()
        self.accepted.set()
        if self._context is not None:
            relay = self._context.wrap_socket(relay, server_side=True)
        with relay, suppress(OSError):
            self.uploaded.wait(PATIENCE_SECONDS)
            self._end(relay)
            self.ended.set()
            self.given_up.wait(PATIENCE_SECONDS)
            while data := relay.recv(65_536):
                self.arrived += len(data)


def reset(relay):
    relay.close()  # Not all was read.


def speak_no_more(relay):
    relay.shutdown(socket.SHUT_WR)


def accept(relay):
    relay.sendall(b"250 2.0.0 ok\r\n")


def accept_and_reset(relay):
    accept(relay)
    reset(relay)


@contextmanager
def no_descriptor_left():
    """What is open stays open."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (0, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


async def upload(relay, context=None, limited=nullcontext, **timeouts):
    channel = Channel(Replies(), Timeouts(**timeouts))
    await dial(channel, *relay.address, context)
    try:
        assert await channel.send(UPLOAD)
        assert relay.accepted.wait(PATIENCE_SECONDS)  # It needs a descriptor, too.
        with limited():
            relay.uploaded.set()
            with pytest.raises(Stranded):
                await channel.expect(END)
    finally:
        channel.abort()
    await asyncio.sleep(0)  # It is closed in a later turn.


@on_linux
@pytest.mark.parametrize("encrypted", [False, True])
def test_an_upload_that_is_cut_off_amid_the_kernels_buffer_is_stranded(
    run, certificates, encrypted
):
    context = certificates.server_context if encrypted else None
    with Unread(reset, context) as relay:
        run(upload(relay, TRUSTING if encrypted else None))


@on_linux
@pytest.mark.parametrize("encrypted", [False, True])
def test_what_is_stranded_does_not_leave_after_all(run, certificates, encrypted):
    """Else a relay that only spoke no more would take a mail that is not marked."""
    context = certificates.server_context if encrypted else None
    with Unread(speak_no_more, context) as relay:
        run(upload(relay, TRUSTING if encrypted else None))
    assert relay.arrived < len(UPLOAD.data)


@on_linux
def test_what_a_relay_has_not_read_in_time_is_stranded(run):
    with Unread(lambda relay: None) as relay:
        run(upload(relay, end=0.1))
    assert relay.arrived < len(UPLOAD.data)


@on_linux
@pytest.mark.parametrize("end", [accept, accept_and_reset])
@pytest.mark.parametrize("encrypted", [False, True])
def test_no_mail_is_accepted_before_its_last_dot_has_left(
    run, certificates, end, encrypted
):
    """Else it would count as sent, and the relay has half of it."""
    context = certificates.server_context if encrypted else None
    with Unread(end, context) as relay:
        run(upload(relay, TRUSTING if encrypted else None))
    assert relay.arrived < len(UPLOAD.data)


@on_linux
def test_it_is_not_accepted_where_no_file_can_be_opened_either(run):
    with Unread(accept) as relay:
        run(upload(relay, limited=no_descriptor_left))
    assert relay.arrived < len(UPLOAD.data)


@on_linux
@pytest.mark.parametrize("encrypted", [False, True])
def test_a_refusal_amid_the_upload_counts_but_nothing_is_sent_after_it(
    run, certificates, encrypted
):
    """Else its word on the other half would be the next message's verdict."""

    async def refused(relay):
        channel = Channel(Replies(), Timeouts())
        await dial(channel, *relay.address, TRUSTING if encrypted else None)
        try:
            assert await channel.send(UPLOAD)
            relay.uploaded.set()
            assert (await channel.expect(END)).code == 552
            return channel.alive
        finally:
            channel.abort()

    def refuse(relay):
        relay.sendall(b"552 5.3.4 too big\r\n")

    with Unread(refuse, certificates.server_context if encrypted else None) as relay:
        assert not run(refused(relay))
    assert relay.arrived < len(UPLOAD.data)


@pytest.mark.parametrize("encrypted", [False, True])
def test_the_dot_stays_here_when_the_relay_has_hung_up(run, certificates, encrypted):
    """Else a drop after the 354 would be marked as a possible duplicate."""
    greeted = threading.Event()

    async def hear_too_late(relay):
        channel = Channel(Replies(), Timeouts())
        await dial(channel, *relay.address, TRUSTING if encrypted else None)
        relay.uploaded.set()
        # Behind all that TLS has to say after the handshake.
        await channel.expect(Expect(Phase.GREETING))
        greeted.set()
        relay.ended.wait(PATIENCE_SECONDS)
        # The loop has had no turn to hear of it.
        try:
            with pytest.raises(Broken):
                await channel.send(DOT)
        finally:
            channel.abort()

    def hang_up(relay):
        relay.sendall(b"220 ready\r\n")
        greeted.wait(PATIENCE_SECONDS)
        relay.shutdown(socket.SHUT_RDWR)

    context = certificates.server_context if encrypted else None
    with Unread(hang_up, context) as relay:
        run(hear_too_late(relay))


def test_the_dot_stays_here_when_the_relay_has_spoken(run):
    """Else what it said of half the content would count as the answer to all of it."""

    async def hear_too_late(relay):
        channel = Channel(Replies(), Timeouts())
        await dial(channel, *relay.address, None)
        relay.uploaded.set()
        relay.ended.wait(PATIENCE_SECONDS)
        try:
            assert not await channel.send(DOT)
            return (await channel.expect(Expect(Phase.CONTENT))).code
        finally:
            channel.abort()

    with Unread(lambda relay: relay.sendall(b"552 5.3.4 too big\r\n")) as relay:
        assert run(hear_too_late(relay)) == 552


@pytest.fixture
def pair():
    """Two ends of a connection, and a transport of the first one."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        one = socket.create_connection(listener.getsockname())
        other, _ = listener.accept()
    with one, other:
        yield one, other, asyncio.BaseTransport({"socket": one})


def test_whoever_uses_the_socket_of_a_transport_leaves_it_open(pair):
    """Else the transport would close its number again, which may be another's then."""
    one, other, transport = pair
    with own_socket(transport):
        pass
    one.sendall(b"still open")
    assert other.recv(100) == b"still open"


def test_of_a_closed_connection_nothing_is_stranded(pair):
    one, _, transport = pair
    one.close()
    assert not strand(transport)
    with pytest.raises(OSError, match="Bad file"), own_socket(transport):
        pass


@pytest.mark.parametrize("platform", ["linux", "darwin"])
def test_where_the_kernel_does_not_tell_nothing_is_stranded(
    pair, platform, monkeypatch
):
    """Nor where the number of the question may mean another one."""

    def tells_nothing(*_):
        assert platform == "linux"
        raise OSError(errno.EINVAL, "what?")

    monkeypatch.setattr(sys, "platform", platform)
    monkeypatch.setattr(fcntl, "ioctl", tells_nothing)
    assert not strand(pair[-1])


def test_mail_that_is_stranded_is_no_possible_duplicate():
    talk = session()
    mail = deliver(talk, "a@example.org", TWO, CONTENT)
    said = lines("250", "250", "250", "354")
    done = drive(mail, talk.replies, said, dropped=Stranded)
    assert words(done.result) == ["deferred"] * 2
    assert not done.result.possible_duplicate
