"""The watch on the relay: how its faults pause delivery, last, and end."""

from __future__ import annotations

import asyncio
import logging
import math
import time
from dataclasses import dataclass

from ..config import RelayAddress
from ..queue import (
    Queue,
    QueueError,
    RelayPause,
    alive_and_lost,
    pause_of,
    recently_sent,
    wake,
)
from ..smtp import RelayFault
from .failover import Failover
from .ledger import Ledger
from .notifications import NotificationPolicy
from .permits import Permits
from .relayhealth import PausePolicy, RelayHealth
from .relaynotes import FaultBegan, FaultEnded

log = logging.getLogger("maildrop.delivery")

LOOK_SECONDS = 2.0
"""Between two looks at what other daemons have found."""
YIELD_SECONDS = 3.0
"""How much later than others the daemon that met a fault probes: they look first."""
ALONE = ", but other daemons' mail gets through"


@dataclass(frozen=True)
class _Seen:
    """The relay's pause; whether other daemons use that relay, how much they sent."""

    pause: RelayPause | None
    others: bool
    sent: int


class RelayWatch:
    """Told by every connection what it met; keeps the health in the permits."""

    def __init__(
        self,
        name: str,
        failover: Failover,
        permits: Permits,
        ledger: Ledger,
        policy: PausePolicy,
        notify: NotificationPolicy,
        owner: str,
    ) -> None:
        self._name = name
        self._failover = failover
        self._permits = permits
        self._ledger = ledger
        self._policy = policy
        self._notify = notify
        self._owner = owner
        self._worked = -math.inf
        self._known = False
        self._others = False
        self._sent = 0
        self._news = 0
        # When a fault was met here last, and when others' mail got through.
        self._met = self._got_through = -math.inf

    def remember(self, queue: Queue) -> None:
        """A fault found before a restart stands until the relay has been tried."""
        seen = self._read(queue)
        self._others, self._sent, pause = seen.others, seen.sent, seen.pause
        self._known = pause is not None
        if pause is not None:
            health = RelayHealth(pause.fault, pause.since, pause.failures)
            self._permits.health = health

    async def follow(self, queue: Queue) -> None:
        """Heed what other daemons write down, until cancelled.

        Whoever finds a fault pauses all, whoever finds its end frees all.
        """
        while True:
            await asyncio.sleep(LOOK_SECONDS)
            news = self._news
            try:
                seen = await asyncio.to_thread(self._read, queue)
            except QueueError:
                continue  # The heartbeat tells of it.
            self._hear_of_others(seen, time.time())
            # What was found here meanwhile is newer, and perhaps not yet written.
            if news == self._news and not self._ledger.notes_wait:
                self.heed(seen.pause, time.time())

    def _read(self, queue: Queue) -> _Seen:
        with queue.read() as tx:
            pause = pause_of(tx, self._name)
            alive, _ = alive_and_lost(tx, time.time())
            owners = [each.owner for each in alive if each.relay == self._name]
            others = [each for each in owners if each != self._owner]
            sent = recently_sent(tx, others, time.time()) if others else 0
        return _Seen(pause, bool(others), sent)

    def _hear_of_others(self, seen: _Seen, now: float) -> None:
        if seen.sent > self._sent:
            self._got_through = now
        self._others, self._sent = seen.others, seen.sent

    def heed(self, pause: RelayPause | None, now: float) -> None:
        """Heed what the queue says of the relay, while no note of this daemon waits."""
        known, self._known = self._known, pause is not None
        health = self._permits.health
        if pause is None:
            if known and not health.good:
                log.info(
                    "another daemon has found that relay %s works again", self._name
                )
                self._got_through = now
                self._permits.health = health.freed(now)
                self._ledger.wake()
        elif health.good and self._is_over(pause, now):
            # The daemon that found it may never have another mail to find its end with.
            self._note_end(now, pause.paused_until)
        elif health.good and pause.paused_until > now:
            log.warning(
                "%s (found by another daemon); mail waits, next try in %.0f s",
                pause.fault,
                pause.paused_until - now,
            )
            self._permits.health = health.heeds(pause)
            # So that it plans the next probe, which may well be this daemon's.
            self._ledger.wake()

    def _is_over(self, pause: RelayPause, now: float) -> bool:
        """Whether this daemon has seen the relay work since that began."""
        began = pause.paused_until - self._policy.seconds(pause.failures)
        # What worked later than now did so before the clock was set back.
        return began <= self._worked <= now

    def works(self, host: RelayAddress) -> None:
        """A host of the relay has shown that it takes mail."""
        self._failover.works(host)
        self._worked = time.time()
        before, self._permits.health = self._permits.health, RelayHealth()
        if before.good:
            return
        self._news += 1
        log.info("relay %s works again", self._name)
        self._note_end(time.time())
        self._ledger.wake()

    def _note_end(self, now: float, paused_until: float | None = None) -> None:
        self._ledger.note(
            FaultEnded(self._name, self._notify, self._owner, now, paused_until)
        )

    def failed(self, fault: RelayFault) -> None:
        """A host of the relay was found at fault; the last one pauses delivery."""
        self._failover.failed(fault)
        if self._failover.has_other(fault.relay):
            return
        before, now = self._permits.health, time.time()
        alone = self._is_alone(before)
        if before.good and not alone:
            # Nothing says any more that only this daemon meets the fault.
            before = RelayHealth()
        after = before.failed(str(fault), now, self._policy)
        if after is before:
            return
        self._news += 1
        self._met = now
        if self._others and not alone:
            # The next probe is another's: it may be this machine that is at fault.
            after = after.waits_longer(now, YIELD_SECONDS)
        self._permits.health = after
        first = before.good and before.contradicted <= 1
        log.log(
            logging.ERROR if fault.permanent and first else logging.WARNING,
            "%s%s; mail waits, next try in %.0f s",
            fault,
            ALONE if alone else "",
            after.paused_until - now,
        )
        if alone:
            self._ledger.note(wake)
        else:
            self._note_beginning(str(fault), after, now)

    def _is_alone(self, health: RelayHealth) -> bool:
        """Whether others' mail gets through, and did since this daemon's did not.

        Not where the probe was made for all: then the others wait for its outcome.
        """
        contradicted = health.good and health.contradicted > 0
        return self._others and contradicted and self._got_through > self._met

    def _note_beginning(self, fault: str, health: RelayHealth, now: float) -> None:
        # Not the pause as it was before YIELD_SECONDS were added: the longest pause did
        # not grow by them, and others are to be ahead even then.
        paused_until = health.paused_until - (YIELD_SECONDS if self._others else 0.0)
        paused = RelayPause(
            self._name, fault, health.since, paused_until, health.failures
        )
        self._ledger.note(FaultBegan(paused, self._notify, self._owner, now))
