"""Which of the hosts of SMTP_HOST gets the mail when some of them are at fault."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable

from ..config import RelayAddress
from ..errors import MaildropError
from ..smtp import Connection, Phase, RelayFault
from .relayhealth import PausePolicy, RelayHealth
from .route import Route

log = logging.getLogger("maildrop.delivery")


class Full(MaildropError):
    """The relay lets in no more connections than those that are in use."""


class Failover:
    """Which host to try next: each one that failed is left alone for a while.

    After that one message probes it, while the others go on elsewhere.
    """

    def __init__(
        self, route: Route, policy: PausePolicy, clock: Callable[[], float] = time.time
    ) -> None:
        self._route = route
        self._policy = policy
        self._clock = clock
        self._health = {host: RelayHealth() for host in route.hosts}
        # The connection that probes a host; None until it is open.
        self._probes: dict[RelayAddress, Connection | None] = {}

    @property
    def first(self) -> RelayAddress:
        """The host that `open` would try first."""
        return self._candidates()[0]

    async def open(self, in_use: Callable[[], bool]) -> Connection:
        """A connection to the first host that gives one; else the last RelayFault.

        `open` does not count that fault: whoever catches it calls `failed`. Full when
        the only host lets nobody in beside the connections that are `in_use`.
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
        """A host has taken a message: one that only greets may still not work."""
        self._health[host] = RelayHealth()
        self._probes.pop(host, None)

    def done(self, connection: Connection) -> None:
        """The message of a connection has ended, whatever came of it."""
        if self._probes.get(connection.relay) is connection:
            del self._probes[connection.relay]

    def failed(self, fault: RelayFault) -> None:
        """A host was found at fault; that is logged if another one stands in."""
        self._failed(fault, self.has_other(fault.relay))

    def _failed(self, fault: RelayFault, another: bool) -> None:
        before = self._health[fault.relay]
        after = before.failed(str(fault), self._clock(), self._policy)
        self._health[fault.relay] = after
        self._probes.pop(fault.relay, None)
        if after is not before and another:
            level = (
                logging.ERROR if fault.permanent and before.good else logging.WARNING
            )
            log.log(level, "%s; the next host is tried, no mail is lost", fault)

    def has_other(self, host: RelayAddress) -> bool:
        """Whether another host stands in: one that is good, as far as is known.

        One whose pause is over does not count: where hosts take longer to fail than
        they are paused there would always be one, and the relay never be at fault.
        """
        return any(
            other != host and health.good for other, health in self._health.items()
        )

    def _is_full(self, fault: RelayFault) -> bool:
        # Most relays that are full say 421, some hang up. One that refuses this machine
        # for good says 5xx, and one that says nothing holds up what may go elsewhere.
        refused = fault.phase is Phase.GREETING
        # Where there are other hosts, the next one takes what this one does not.
        alone = len(self._health) == 1
        return alone and refused and not (fault.permanent or fault.silent)

    def _candidates(self) -> list[RelayAddress]:
        promising = self._promising()
        # A host that is probed may answer late, or greet and take nothing: that must
        # hold up one message only.
        free = [host for host in promising if host not in self._probes]
        # With every host paused somebody has decided to probe: try them all.
        return free or promising or list(self._health)

    def _promising(self) -> list[RelayAddress]:
        now = self._clock()
        return [
            host for host, health in self._health.items() if health.permits(0, now) != 0
        ]
