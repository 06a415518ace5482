"""The way to the relay: the hosts of SMTP_HOST in order, login, transport security."""

from __future__ import annotations

import logging
import socket
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace

from ..config import Configuration, RelayAddress
from ..errors import MaildropError
from ..secret import Secret
from ..smtp import (
    Connection,
    Login,
    LoginRefused,
    Phase,
    RelayFault,
    Security,
    Timeouts,
)
from ..tokens import AccessToken, TokenFault, TokenSource, source_of
from ..unquoted import unquoted
from .relayhealth import PausePolicy, RelayHealth

log = logging.getLogger("maildrop.delivery")

BAD_CREDENTIALS = 535  # RFC 4954 section 6


class Full(MaildropError):
    """The relay lets nobody in beside the connections to it that are in use."""


@dataclass(frozen=True)
class Route:
    """What it takes to open a connection, from the configuration.

    With `tokens` the login is by XOAUTH2: each connection is given an access token.
    EHLO says the `helo_name`; "" is this machine's own.
    """

    hosts: tuple[RelayAddress, ...]
    security: Security
    login: Login | None
    tokens: TokenSource | None = None
    helo_name: str = ""
    timeouts: Timeouts = field(default_factory=Timeouts)

    @classmethod
    def of(cls, configuration: Configuration) -> Route:
        """The route of a configuration; ConfigurationError for a hopeless login."""
        tokens = source_of(configuration) if configuration.auth == "xoauth2" else None
        security = Security(
            configuration.tls, configuration.tls_verify, configuration.tls_ca_file
        )
        return cls(
            configuration.relays,
            security,
            _login(configuration),
            tokens,
            helo_name=configuration.helo_name,
        )

    @property
    def name(self) -> str:
        """What the queue and the log call the relay."""
        return ";".join(str(host) for host in self.hosts)

    async def await_token(self, host: RelayAddress) -> None:
        """Have what `open` would ask for first; RelayFault when there is no token."""
        if self.tokens is not None:
            await _token(host, self.tokens)

    async def open(self, host: RelayAddress) -> Connection:
        """A connection to one of the hosts; RelayFault when there can be none."""
        if self.login is None or self.tokens is None:
            return await self._open(host, self.login)
        token = await _token(host, self.tokens)
        try:
            return await self._open(host, _with(self.login, token))
        except LoginRefused as refused:
            if refused.code != BAD_CREDENTIALS:
                raise
        # It may have been withdrawn before its time: once more with a new one.
        token = await _token(host, self.tokens, refused=token)
        return await self._open(host, _with(self.login, token))

    async def _open(self, host: RelayAddress, login: Login | None) -> Connection:
        return await Connection.open(
            host,
            self.security,
            login,
            timeouts=self.timeouts,
            local_name=self.helo_name or _machine_name(),
        )


def _login(configuration: Configuration) -> Login | None:
    password = configuration.password
    if configuration.auth == "xoauth2":
        password = Secret("")
    elif not (configuration.login and password):
        return None
    return Login(
        configuration.login,
        password,
        configuration.auth,
        configuration.allow_cleartext_login,
    )


def _with(login: Login, token: AccessToken) -> Login:
    return replace(login, password=token.secret)


async def _token(
    host: RelayAddress, tokens: TokenSource, refused: AccessToken | None = None
) -> AccessToken:
    try:
        return await tokens.token(refused)
    except TokenFault as fault:
        raise RelayFault(host, Phase.TOKEN, fault.reason, fault.permanent) from None
    except Exception as error:
        log.error(
            "the access token for %s met an unexpected error",
            host,
            exc_info=unquoted(error),
        )
        # The type alone: its text may quote a secret.
        reason = f"an unexpected {type(error).__name__} while a token was asked for"
        raise RelayFault(host, Phase.TOKEN, reason) from None


def _machine_name() -> str:
    """This machine's full name, if it has one: EHLO wants that (RFC 5321 4.1.1.1).

    Never looked up: a slow name server must not hold up mail.
    """
    name = socket.gethostname()
    return name if "." in name.strip(".") else ""


class Failover:
    """Which host to try next: each one that failed is left alone for a while.

    After that one message probes it, while the others go on elsewhere.
    """

    def __init__(
        self,
        route: Route,
        pause: PausePolicy,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._route = route
        self._pause = pause
        self._clock = clock
        self._health = {host: RelayHealth() for host in route.hosts}
        # By whom: None until that connection is open.
        self._probes: dict[RelayAddress, Connection | None] = {}

    @property
    def first(self) -> RelayAddress:
        """The host that `open` would try first."""
        return self._candidates()[0]

    async def open(self, in_use: Callable[[], bool]) -> Connection:
        """A connection to the first host that gives one; else the last RelayFault.

        Full when the only host greets nobody beside the connections that are `in_use`.
        """
        *earlier, last = self._candidates()
        for host in earlier:
            try:
                return await self._try(host)
            except RelayFault as fault:
                self._failed(fault, another=True)
        try:
            return await self._try(last)
        except RelayFault as fault:
            if self._is_full(fault) and in_use():
                raise Full(str(fault)) from None
            self.failed(fault)
            raise

    async def _try(self, host: RelayAddress) -> Connection:
        if self._health[host].good:
            return await self._route.open(host)
        self._probes[host] = None
        try:
            connection = self._probes[host] = await self._route.open(host)
        except BaseException:
            self._probes.pop(host, None)
            raise
        return connection

    def works(self, host: RelayAddress) -> None:
        """A host has taken a message: one that only greets is not yet well."""
        self._health[host] = RelayHealth()
        self._probes.pop(host, None)

    def done(self, connection: Connection) -> None:
        """The message of a connection has ended, whatever came of it."""
        if self._probes.get(connection.relay) is connection:
            del self._probes[connection.relay]

    def failed(self, fault: RelayFault) -> None:
        """A host was found at fault; the log has it when another one stands in."""
        self._failed(fault, self.has_other(fault.relay))

    def _failed(self, fault: RelayFault, another: bool) -> None:
        before = self._health[fault.relay]
        after = before.failed(str(fault), self._clock(), self._pause)
        self._health[fault.relay] = after
        self._probes.pop(fault.relay, None)
        if after is not before and another:
            level = (
                logging.ERROR if fault.permanent and before.good else logging.WARNING
            )
            log.log(level, "%s; the next host is tried, no mail is lost", fault)

    def has_other(self, host: RelayAddress) -> bool:
        """Whether another host stands in: one that is good, as far as is known.

        One whose pause is over is none: with hosts that take longer to fail than they
        are paused there would always be one, and the relay would never be at fault.
        """
        return any(
            other != host and health.good for other, health in self._health.items()
        )

    def _is_full(self, fault: RelayFault) -> bool:
        # Most say 421, some hang up. Whoever refuses this machine for good says 5xx,
        # and whoever says nothing holds up what may go elsewhere.
        refused = fault.phase is Phase.GREETING
        # Where there are others the next one takes what this one does not.
        alone = len(self._health) == 1
        return alone and refused and not (fault.permanent or fault.silent)

    def _promising(self) -> list[RelayAddress]:
        now = self._clock()
        return [
            host for host, health in self._health.items() if health.permits(0, now) != 0
        ]

    def _candidates(self) -> list[RelayAddress]:
        promising = self._promising()
        # A host that answers late, or greets and takes nothing, holds up one message.
        free = [host for host in promising if host not in self._probes]
        # With every host paused somebody has decided to probe: try them all.
        return free or promising or list(self._health)
