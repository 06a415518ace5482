"""A connection to one relay."""

from __future__ import annotations

import asyncio
import ipaddress
import itertools
import logging
import socket
import ssl
from collections.abc import Awaitable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import TYPE_CHECKING, Any, TypeVar

from ..large import LARGE_OCTETS
from ..system.blocking import keep_signals_out
from ..unquoted import unquoted
from ..verdict import Outcome, Verdict
from . import dialogue
from .channel import Channel, describe
from .conversion import convert
from .dialing import Address, dial
from .fault import RelayFault, fault_to_tell
from .findings import Result
from .needs import Needs, needs
from .offer import needs_smtputf8
from .opening import open_session
from .phases import Phase, Timeouts
from .session import Session
from .settings import TLS_IMPLICIT, Login, Security
from .steps import Broken, Expect, Send, StartTls, Step, Steps
from .tls import ResumingContext, client_context
from .transaction import deliver

if TYPE_CHECKING:
    from ..config import RelayAddress

log = logging.getLogger("maildrop.smtp")
Value = TypeVar("Value")
_NUMBERS = itertools.count(1)
"""Tell connections apart in the log."""

_ONE_AT_A_TIME = ThreadPoolExecutor(1, "maildrop-conversion", keep_signals_out)
"""Converts large content, which takes five times its size in memory."""


class Connection:
    """Takes one message at a time; made by `open`."""

    def __init__(self, session: Session, channel: Channel, security: Security) -> None:
        self.relay = session.relay
        self._session = session
        self._channel = channel
        self._security = security
        self._number = next(_NUMBERS)
        # Addresses of the relay that are left to try.
        self._others: Sequence[Address] = ()

    @classmethod
    async def open(
        cls,
        relay: RelayAddress,
        security: Security,
        login: Login | None = None,
        *,
        timeouts: Timeouts | None = None,
        local_name: str = "",
    ) -> Connection:
        """A connection that is ready for mail; RelayFault when there can be none.

        `local_name` is what EHLO says; with "" it says the address of this machine.
        """
        first: RelayFault | None = None
        addresses: Sequence[Address] = ()
        while True:
            session = Session(relay)
            channel = Channel(session.replies, timeouts or Timeouts())
            connection = cls(session, channel, security)
            try:
                await connection._begin(addresses, login, local_name)
                return connection
            except RelayFault as fault:
                first, addresses = first or fault, connection._others
                if fault.phase is not Phase.GREETING or not addresses:
                    raise fault_to_tell(first, fault) from None

    @property
    def served(self) -> int:
        """How many transactions it has done."""
        return self._session.served

    @property
    def tls_version(self) -> str:
        """As the ssl module names it, "" where the connection is not encrypted."""
        return self._channel.tls_version()

    @property
    def verified(self) -> bool:
        """Whether TLS has made sure that it is the relay."""
        return self._channel.verified()

    @property
    def usable(self) -> bool:
        """Whether it may take another message: open, quiet and never broken."""
        return self._channel.alive and not self._session.replies.pending

    async def deliver(
        self, sender: str, recipients: Sequence[str], content: bytes
    ) -> Result:
        """Offer one message. Never raises, except for a cancellation.

        A cancelled delivery closes the connection: whether the relay took the message
        is then unknown.
        """
        offered = False
        try:
            if unfit := self._needs(sender, recipients, content):
                content = await _converted(content, unfit)
            offered = True
            result = await self._run(
                deliver(self._session, sender, recipients, content)
            )
        except Exception as error:
            log.error(
                "delivery to %s met an unexpected error",
                self.relay,
                exc_info=unquoted(error),
            )
            result = _broken_down(error, len(recipients), offered)
        except BaseException:
            self._give_up()
            raise
        if not result.usable:
            self._give_up()
        if result.stranded and await self._channel.left_at_last():
            return replace(result, possible_duplicate=True)
        return result

    def cut_short(self) -> None:
        """Have `deliver` end at once; its result tells what the relay may have."""
        self._channel.cut_short()

    async def quit(self) -> None:
        """Say goodbye when there is time for it, then close. Never raises."""
        try:
            if self.usable:
                await self._run(self._session.quit())
        except Exception as error:
            log.error(
                "closing the connection to %s failed",
                self.relay,
                exc_info=unquoted(error),
            )
        finally:
            self._give_up()

    async def _begin(
        self, addresses: Sequence[Address], login: Login | None, local_name: str
    ) -> None:
        """Get ready for mail at one of `addresses`; without any, they are looked up."""
        session, channel = self._session, self._channel
        try:
            self._others = await self._connect(addresses)
            name = _hello_name(local_name, channel.local())
            await self._run(open_session(session, self._security, login, name))
            channel.remember_tls()
        except BaseException as error:
            channel.abort()
            if isinstance(error, Exception):
                raise _as_fault(self.relay, error) from None
            raise

    async def _connect(self, addresses: Sequence[Address]) -> Sequence[Address]:
        """Connect to one of them; returns those left to try, should it not do."""
        relay = self.relay
        implicit = self._security.tls == TLS_IMPLICIT
        context = self._context(self._security.verify) if implicit else None
        try:
            left = await dial(self._channel, relay.host, relay.port, context, addresses)
        except ssl.SSLError as error:
            raise self._tls_fault(error) from None
        except socket.gaierror as error:
            reason = f"the name {relay.host} was not found: {describe(error)}"
            raise RelayFault(relay, Phase.CONNECT, reason) from None
        except (OSError, ValueError) as error:
            raise RelayFault(relay, Phase.CONNECT, describe(error)) from None
        self._session.loopback = _is_loopback(self._channel.peer())
        self._session.encrypted = implicit
        return left

    def _tls_fault(self, error: Exception) -> RelayFault:
        permanent = isinstance(error, ssl.SSLCertVerificationError)
        return RelayFault(self.relay, Phase.HANDSHAKE, describe(error), permanent)

    def _context(self, verify: bool) -> ResumingContext:
        try:
            return client_context(self.relay, verify, self._security.ca_file)
        except OSError as error:  # ssl.SSLError is one
            reason = f"MAILDROP_TLS_CA_FILE {self._security.ca_file}: {describe(error)}"
            raise RelayFault(self.relay, Phase.HANDSHAKE, reason, True) from None

    async def _run(self, procedure: Steps[Value]) -> Value:
        """Drive a procedure to its end."""
        answer: Any = None
        broken: Broken | None = None
        try:
            while True:
                step = procedure.throw(broken) if broken else procedure.send(answer)
                broken = None
                try:
                    answer = await self._perform(step)
                except Broken as error:
                    broken = error
        except StopIteration as end:
            value: Value = end.value
            return value

    def _perform(self, step: Step) -> Awaitable[Any]:
        if log.isEnabledFor(logging.DEBUG):
            return self._tell(step)
        return self._do(step)

    async def _tell(self, step: Step) -> Any:
        for words in dialogue.before(step):
            log.debug("%s #%d %s", self.relay, self._number, words)
        answer = await self._do(step)
        for words in dialogue.after(answer):
            log.debug("%s #%d %s", self.relay, self._number, words)
        return answer

    def _do(self, step: Step) -> Awaitable[Any]:
        if isinstance(step, Expect):
            return self._channel.expect(step)
        if isinstance(step, Send):
            return self._channel.send(step)
        return self._start_tls(step)

    async def _start_tls(self, step: StartTls) -> None:
        context = self._context(step.verify)
        try:
            await self._channel.start_tls(context, self.relay.host)
        except (OSError, ValueError) as error:
            raise self._tls_fault(error) from None

    def _needs(self, sender: str, recipients: Sequence[str], content: bytes) -> Needs:
        capabilities = self._session.capabilities
        smtputf8 = needs_smtputf8(sender, recipients, capabilities)
        return needs(content, capabilities, smtputf8)

    def _give_up(self) -> None:
        self._channel.remember_tls()
        self._channel.abort()


async def _converted(content: bytes, unfit: Needs) -> bytes:
    executor = _ONE_AT_A_TIME if len(content) > LARGE_OCTETS else None
    loop = asyncio.get_running_loop()
    return await loop.run_in_executor(executor, convert, content, unfit)


def _broken_down(error: Exception, count: int, offered: bool) -> Result:
    verdict = Verdict(Outcome.DEFERRED, _unexpected(error))
    # Nobody knows how far the relay had got.
    return Result((verdict,) * count, possible_duplicate=offered, usable=False)


def _as_fault(relay: RelayAddress, error: Exception) -> RelayFault:
    """`error` if it is one already; else one that stands for what nobody foresaw."""
    if isinstance(error, RelayFault):
        return error
    log.error(
        "connecting to %s met an unexpected error", relay, exc_info=unquoted(error)
    )
    return RelayFault(relay, Phase.CONNECT, _unexpected(error))


def _unexpected(error: Exception) -> str:
    # The type alone: its text may quote the message, or a password.
    return f"an unexpected {type(error).__name__} in the SMTP client"


def _is_loopback(peer: str) -> bool:
    try:
        address = ipaddress.ip_address(peer)
    except ValueError:
        return False
    mapped = getattr(address, "ipv4_mapped", None)
    return (mapped or address).is_loopback


def _hello_name(local_name: str, local_address: str) -> str:
    """RFC 5321 section 4.1.4: a host without a usable name says its address."""
    speakable = local_name.isascii() and local_name.isprintable()
    if local_name and speakable and " " not in local_name:
        return local_name
    # The zone of a link-local address means something on this machine only.
    address = local_address.partition("%")[0]
    family = "IPv6:" if ":" in address else ""
    return f"[{family}{address or '127.0.0.1'}]"
