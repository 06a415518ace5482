"""The watch on the relay: its faults pause delivery, last, and end."""

from __future__ import annotations

import logging
import time

from ..queue import Queue, RelayPause, pauses
from ..smtp import RelayFault
from .health import Health, PausePolicy
from .ledger import Ledger
from .notifications import NotificationPolicy
from .permits import Permits
from .relaynotes import FaultBegan, FaultEnded
from .route import Failover

log = logging.getLogger("maildrop.delivery")


class Watch:
    """Told by every connection what it met; keeps the health in the permits."""

    def __init__(
        self,
        name: str,
        failover: Failover,
        permits: Permits,
        ledger: Ledger,
        pause_policy: PausePolicy,
        notify: NotificationPolicy,
        owner: str,
    ) -> None:
        self._name = name
        self._failover = failover
        self._permits = permits
        self._ledger = ledger
        self._pause = pause_policy
        self._notify = notify
        self._owner = owner

    def remember(self, queue: Queue) -> None:
        """A fault found before a restart stands until the relay has been tried."""
        with queue.read() as tx:
            known = [each for each in pauses(tx) if each.name == self._name]
        for each in known:
            self._permits.health = Health(each.fault, each.since, each.failures)

    def works(self) -> None:
        """The relay has shown that it takes mail."""
        if self._permits.health.good:
            return
        log.info("relay %s works again", self._name)
        self._permits.health = Health()
        self._ledger.note(
            FaultEnded(self._name, self._notify, self._owner, time.time())
        )
        self._ledger.wake()

    def failed(self, fault: RelayFault) -> None:
        """A host of the relay was found at fault; the last one pauses delivery."""
        self._failover.failed(fault)
        if self._failover.has_other(fault.relay):
            return
        before, now = self._permits.health, time.time()
        after = before.failed(str(fault), now, self._pause)
        if after is before:
            return
        self._permits.health = after
        level = logging.ERROR if fault.permanent and before.good else logging.WARNING
        log.log(
            level,
            "%s; mail waits, next try in %.0f s",
            fault,
            after.paused_until - now,
        )
        paused = RelayPause(
            self._name,
            str(fault),
            after.since,
            after.paused_until,
            after.failures,
        )
        self._ledger.note(FaultBegan(paused, self._notify, self._owner, now))
