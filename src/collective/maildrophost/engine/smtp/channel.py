"""Steps performed on an asyncio transport."""

# Rules of this file:
# - A step that takes longer than its phase's timeout is `Broken`; the time counts from
#   the start of the step, so that a relay cannot drag it out byte by byte.
# - What the relay said is taken before a lost connection is reported (see wire.py).
# - Bytes that `Send` says have left are with the kernel, not in a buffer of TLS or of
#   the transport below it. A connection that ends with some of them still there is
#   `Stranded`.
# - One that is cut short is closed only when its step has ended: by then it is known
#   what has left. What leaves before the close, a turn later, `left_at_last` tells.

from __future__ import annotations

import asyncio
import os
import socket
import ssl
from typing import Any, cast

from ..oneline import on_one_line
from .content import BLOCK_OCTETS
from .kernel import seal, something_came, strand
from .phases import Phase, Timeouts
from .replies import MalformedReply, Replies, Reply
from .steps import Broken, CutShort, Expect, Send, Silent, Stranded
from .tls import ResumingContext, server_name
from .tlswords import IN_CLEAR, meaning
from .wire import Wire

_TLS_BUFFER_LIMIT = 1  # At 0 asyncio's TLS would call even an empty buffer full.


class Channel(asyncio.Protocol):
    """One connection, whose transport calls a `Wire`; what comes in is in `replies`."""

    def __init__(self, replies: Replies, timeouts: Timeouts) -> None:
        self.replies = replies
        self.timeouts = timeouts
        self._loop = asyncio.get_running_loop()
        self._transport: asyncio.Transport | None = None
        self._bare: asyncio.Transport | None = None
        self._waiter: asyncio.Future[None] | None = None
        self._blocked = False
        self._stranded = False
        self._cut_short = False
        self._lost = ""

    # What asyncio calls.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._lost, self._stranded = "", False
        self._closed = asyncio.Event()
        self._bare = cast("asyncio.Transport", transport)
        self._bare.set_write_buffer_limits(high=0)
        self._transport = self._bare

    def data_received(self, data: bytes) -> None:
        self.replies.feed(data)
        self._wake()

    def eof_received(self) -> None:
        if not self._closing():  # Else the number of its socket may be another's.
            self.take_stock()
        self._lost = self._lost or "the relay closed the connection"
        self._wake()

    def connection_lost(self, exc: Exception | None) -> None:
        if not self._closing():
            return  # An address broke off the handshake; another has answered since.
        reason = f": {describe(exc)}" if exc else ""
        self._lost = self._lost or f"the connection was lost{reason}"
        self._wake()

    def pause_writing(self) -> None:
        self._blocked = True

    def resume_writing(self) -> None:
        self._blocked = False
        self._wake()

    def take_stock(self) -> None:
        """The connection ends: what has not left by now never will."""
        self._stranded = bool(self._stranded or (self._bare and strand(self._bare)))

    def closing(self) -> None:
        """What was stranded may have left since then, until this moment."""
        self._stranded = bool(self._stranded and self._bare and strand(self._bare))
        self._closed.set()

    # What the connection calls.

    @property
    def alive(self) -> bool:
        return self._transport is not None and not self._lost

    def peer(self) -> str:
        """The relay's IP address."""
        return self._address("peername")

    def local(self) -> str:
        """This machine's IP address on the connection."""
        return self._address("sockname")

    async def send(self, step: Send) -> bool:
        """Whether all of it left before the relay said anything."""
        if step.phase is Phase.CONTENT and await self._interrupted():
            return False
        if self._lost or self._transport is None:
            raise self._loss(step.phase)
        self._transport.write(step.data)
        if len(step.data) >= BLOCK_OCTETS:
            # One turn of the loop: a reply is heard and others work between blocks.
            await asyncio.sleep(0)
        if not self._detained():
            return True
        deadline = self._loop.time() + self.timeouts.seconds(step.phase)
        while self._detained():
            if self.replies.pending:
                return False
            if self._lost:
                raise self._loss(step.phase)
            await self._wait(step.phase, deadline)
        return True

    async def expect(self, step: Expect) -> Reply:
        """The next reply."""
        deadline = 0.0
        while (reply := self._take(step.phase)) is None:
            if self._lost:
                raise self._loss(step.phase)
            deadline = deadline or self._loop.time() + self.timeouts.seconds(step.phase)
            await self._wait(step.phase, deadline)
        if step.phase is Phase.END and self._unfinished():
            # What it answers cannot be the last dot: that is still here. What the relay
            # may say of the rest would be taken for its answer to the next message.
            self._lost = f"the relay answered half the content: {reply}"
            self.abort()
            if reply.positive:
                raise Stranded(step.phase, self._lost)
        return reply

    async def start_tls(self, context: ResumingContext, host: str) -> None:
        """The handshake; SSLError, OSError or ValueError when it fails."""
        try:
            await self._encrypt(context, host)
        except (OSError, ValueError):
            # A relay may close the connection when it dislikes what is to be resumed.
            context.forget()
            raise

    async def _encrypt(self, context: ssl.SSLContext, host: str) -> None:
        bare = self._bare
        assert bare is not None
        if self.replies.pending:
            # What came in clear must not be taken for an answer that came over TLS.
            raise ssl.SSLError(ssl.SSL_ERROR_SSL, IN_CLEAR)
        if self._lost or bare.is_closing():
            # asyncio would wait for ever.
            raise ConnectionResetError(self._lost or "the connection was lost")
        try:
            encrypted = await self._loop.start_tls(
                bare,
                self,
                context,
                server_hostname=server_name(host),
                ssl_handshake_timeout=self.timeouts.handshake,
            )
        except ConnectionResetError as error:
            # asyncio has no words for a relay that hangs up in the handshake.
            words = error.args or ("the relay closed the connection",)
            raise ConnectionResetError(*words) from None
        if encrypted is None:  # typeshed: a transport that closed meanwhile
            raise ConnectionResetError("closed in the handshake")
        if (tls := bare.get_protocol()) is not None:  # Else it is closed already.
            Wire(tls, self.take_stock, self.closing, self._wake).slip_under(bare)
        encrypted.set_write_buffer_limits(high=_TLS_BUFFER_LIMIT, low=0)
        self._transport = encrypted

    def tls_version(self) -> str:
        """That of the connection as it is now; "" without TLS."""
        encrypted = self._extra("ssl_object")
        return str(encrypted.version()) if encrypted else ""

    def verified(self) -> bool:
        """Whether the peer's certificate was verified."""
        context = self._extra("sslcontext")
        return bool(context) and context.verify_mode is ssl.CERT_REQUIRED

    def remember_tls(self) -> None:
        """Let the next connection to this relay resume the TLS session of this one."""
        context = self._extra("sslcontext")
        if isinstance(context, ResumingContext):
            context.remember(self._extra("ssl_object"))

    def cut_short(self) -> None:
        """End the step under way: with a reply that is there, else with `_loss`."""
        if not self._lost:
            self._cut_short, self._lost = True, "cut short as the daemon ends"
            self._wake()

    def abort(self) -> None:
        """Close at once, whatever is under way; may be called again."""
        self._lost = self._lost or "the connection is closed"
        if self._transport is not None:
            if self._bare is not None and not self._closing():
                seal(self._bare)
            self._transport.abort()

    async def left_at_last(self) -> bool:
        """Once it is closed: whether what was stranded has left after all."""
        await self._closed.wait()
        return not self._stranded

    def _loss(self, phase: Phase) -> Broken:
        """Why a step of that phase cannot end: the connection has."""
        if self._cut_short and (phase is not Phase.END or self._unfinished()):
            return CutShort(phase, self._lost)
        how = Stranded if self._stranded else Broken
        return how(phase, self._lost)

    async def _interrupted(self) -> bool:
        """Whether the relay has said something, though it be in the kernel yet."""
        if self._bare is None or self._closing():
            return False
        if something_came(self._bare):
            for _ in range(2):  # asyncio reads after all else that is due in a turn.
                await asyncio.sleep(0)
        return self.replies.pending

    def _unfinished(self) -> bool:
        """Whether some of what was written has never left, and now never will."""
        if not self._closing():
            self.take_stock()
        return self._stranded

    def _detained(self) -> bool:
        """Whether some bytes have not left yet, or never will."""
        assert self._bare is not None
        kept = self._bare.get_write_buffer_size() > 0
        return self._blocked or kept or self._closing()

    def _closing(self) -> bool:
        # TLS hears only in a later turn of the loop that a write below it has failed.
        return self._bare is None or self._bare.is_closing()

    def _take(self, phase: Phase) -> Reply | None:
        try:
            return self.replies.take()
        except MalformedReply as malformed:
            raise Broken(phase, str(malformed)) from None

    async def _wait(self, phase: Phase, deadline: float) -> None:
        """Until something happens."""
        self._waiter = waiter = self._loop.create_future()
        timer = self._loop.call_at(deadline, self._expire, waiter, phase)
        try:
            await waiter
        finally:
            timer.cancel()
            self._waiter = None

    def _expire(self, waiter: asyncio.Future[None], phase: Phase) -> None:
        if not waiter.done():
            # A relay that waits for the dot is not the one that is silent.
            kind = Stranded if phase is Phase.END and self._unfinished() else Silent
            seconds = self.timeouts.seconds(phase)
            waiter.set_exception(
                kind(phase, f"no answer from the relay within {seconds:g} seconds")
            )

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    def _address(self, name: str) -> str:
        address = self._extra(name)
        return str(address[0]) if address else ""

    def _extra(self, name: str) -> Any:
        return self._transport.get_extra_info(name) if self._transport else None


def describe(error: BaseException) -> str:
    """One printable line for an exception of sockets or TLS."""
    if words := meaning(error):
        text = words
    elif number := _system_error(error):
        # asyncio's own words tell the address, but not the reason.
        text = os.strerror(number)
    else:
        text = getattr(error, "strerror", None) or str(error) or type(error).__name__
    return on_one_line(text)


def _system_error(error: BaseException) -> int:
    """Its errno; 0 for errors of names and of TLS, whose numbers mean other things."""
    if isinstance(error, socket.gaierror | ssl.SSLError):
        return 0
    return (isinstance(error, OSError) and error.errno) or 0
