"""The way to the relay: its hosts, login, transport security."""

from __future__ import annotations

import logging
import socket
from dataclasses import dataclass, field, replace

from ..config import Configuration, RelayAddress
from ..config.relays import name_of
from ..secrets import Secret
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

log = logging.getLogger("maildrop.delivery")

BAD_CREDENTIALS = 535  # RFC 4954 section 6


@dataclass(frozen=True)
class Route:
    """What it takes to open a connection, from the configuration.

    With `tokens` the login is by XOAUTH2: each connection is given an access token.
    EHLO says `helo_name`; "" stands for this machine's own.
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
        return name_of(self.hosts)

    async def await_token(self, host: RelayAddress) -> None:
        """Get the token that `open` would ask for first; RelayFault without one."""
        if self.tokens is not None:
            await _token(host, self.tokens)

    async def open(self, host: RelayAddress) -> Connection:
        """A connection to one of the hosts; RelayFault when there can be none."""
        if self.login is None or self.tokens is None:
            return await self._open(host, self.login)
        token = await _token(host, self.tokens)
        try:
            return await self._open(host, replace(self.login, password=token.secret))
        except LoginRefused as refused:
            if refused.code != BAD_CREDENTIALS:
                raise
        # The token may have been revoked early: once more with a new one.
        token = await _token(host, self.tokens, refused=token)
        return await self._open(host, replace(self.login, password=token.secret))

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
