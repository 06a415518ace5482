"""The way to the relay: the hosts of SMTP_HOST in order, login, transport security."""

from __future__ import annotations

import logging
import socket
import time
from collections.abc import Callable
from dataclasses import dataclass

from ..config import Configuration, RelayAddress
from ..smtp import Connection, Login, RelayFault, Security
from .health import Health, PausePolicy

log = logging.getLogger("maildrop.delivery")


@dataclass(frozen=True)
class Route:
    """What it takes to open a connection, from the configuration."""

    hosts: tuple[RelayAddress, ...]
    security: Security
    login: Login | None

    @classmethod
    def of(cls, configuration: Configuration) -> Route:
        """The route of a configuration."""
        login = None
        if configuration.login and configuration.password:
            login = Login(
                configuration.login,
                configuration.password,
                configuration.auth,
                configuration.allow_cleartext_login,
            )
        security = Security(
            configuration.tls, configuration.tls_verify, configuration.tls_ca_file
        )
        return cls(configuration.relays, security, login)

    @property
    def name(self) -> str:
        """What the queue and the log call the relay."""
        return ";".join(str(host) for host in self.hosts)

    async def open(self, host: RelayAddress) -> Connection:
        """A connection to one of the hosts; RelayFault when there can be none."""
        return await Connection.open(
            host, self.security, self.login, local_name=_local_name()
        )


def _local_name() -> str:
    """What EHLO says (RFC 5321 section 4.1.4): this host's full name, if it has one.

    Never looked up: a slow name server must not hold up mail.
    """
    name = socket.gethostname()
    return name if "." in name.strip(".") else ""


class Failover:
    """Which host to try next: each one that failed is left alone for a while."""

    def __init__(
        self,
        route: Route,
        pause: PausePolicy,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._route = route
        self._pause = pause
        self._clock = clock
        self._health = {host: Health() for host in route.hosts}

    async def open(self) -> Connection:
        """A connection to the first host that gives one; else the last RelayFault."""
        fault: RelayFault | None = None
        for host in self._candidates():
            try:
                connection = await self._route.open(host)
            except RelayFault as found:
                self.failed(found)
                fault = found
            else:
                self._health[host] = Health()
                return connection
        assert fault is not None  # there is at least one candidate
        raise fault

    def failed(self, fault: RelayFault) -> None:
        """A host was found at fault; the log has it when another one stands in."""
        before = self._health[fault.relay]
        after = before.failed(str(fault), self._clock(), self._pause)
        self._health[fault.relay] = after
        if after is not before and self.has_other(fault.relay):
            level = (
                logging.ERROR if fault.permanent and before.good else logging.WARNING
            )
            log.log(level, "%s; the next host is tried, no mail is lost", fault)

    def has_other(self, host: RelayAddress) -> bool:
        """Whether another host is worth a try now."""
        return any(other != host for other in self._promising())

    def _promising(self) -> list[RelayAddress]:
        now = self._clock()
        return [
            host for host, health in self._health.items() if health.permits(0, now) != 0
        ]

    def _candidates(self) -> list[RelayAddress]:
        # With every host paused somebody has decided to probe: try them all.
        return self._promising() or list(self._health)
