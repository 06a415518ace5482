"""The watch on the relay: its faults pause delivery, last, and end."""

from __future__ import annotations

import logging
import time
from functools import partial

from ..queue import (
    Queue,
    RelayPause,
    Transaction,
    clear,
    enqueue,
    mark_told,
    pause,
    pauses,
)
from ..smtp import RelayFault
from .health import Health, PausePolicy
from .ledger import Ledger
from .notifications import (
    NotificationPolicy,
    relay_fault_lasts,
    relay_works_again,
)
from .permits import Permits
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
        self._ledger.note(partial(self._end, time.time()))
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
        self._ledger.note(partial(self._begin, paused, now))

    def _begin(self, paused: RelayPause, now: float, tx: Transaction) -> None:
        """Write the fault down; when it lasts, tell the postmaster if nobody has."""
        pause(tx, paused)
        lasts = now - paused.since >= self._notify.relay_fault_lasts
        if lasts and self._notify.postmaster and mark_told(tx, paused.name):
            letter = relay_fault_lasts(paused, self._notify, self._owner, now)
            enqueue(tx, [letter], now, origin="notification")

    def _end(self, now: float, tx: Transaction) -> None:
        """Forget the fault; tell the postmaster if that was done of its beginning."""
        ended = clear(tx, self._name)
        if ended is not None and ended.told and self._notify.postmaster:
            letter = relay_works_again(ended, self._notify, self._owner, now)
            enqueue(tx, [letter], now, origin="notification")
