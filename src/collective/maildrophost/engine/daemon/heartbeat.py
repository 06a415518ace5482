"""The daemon's heartbeat, which is also the lease on all that it has claimed."""

from __future__ import annotations

import asyncio
import logging
import math
import os
import secrets
import socket
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from ..errors import MaildropError
from ..queue import (
    Daemon,
    Queue,
    QueueError,
    Transaction,
    all_daemons,
    may_retire,
    moment,
    ownerless,
    put_off_large,
    recover_ownerless,
    register,
    renew,
    retire,
    up_since,
)
from ..system import signals
from ..system.identity import process_identity
from ..wording import verbatim
from .lease import Lease, sleepless
from .sightings import Sightings

log = logging.getLogger("maildrop.daemon")

LEASE_SECONDS = 60.0
RENEW_SECONDS = 5.0
MARGIN_SECONDS = 10.0
"""How long before others see its lease end a daemon stops sending: time to break off,
and for what is on the wire to arrive."""


class LeaseLost(MaildropError):
    """Another daemon may have what this one had claimed: it must not go on sending."""


class Heartbeat:
    """Announces this daemon, keeps its lease, takes over from daemons that are gone."""

    def __init__(self, queue: Queue, relay: str, doorbell: str) -> None:
        self.owner = secrets.token_hex(16)
        self._queue = queue
        self._relay = relay
        self._doorbell = doorbell
        self._sightings = Sightings(LEASE_SECONDS)
        self._failed_takeovers = 0
        self._began = sleepless()
        self.failing = False
        """Whether the last beat could not be written."""
        # One of its own: those of the event loop may all wait for the queue, to answer
        # questions about the daemon's health, while the lease runs out.
        self._thread = ThreadPoolExecutor(1, initializer=signals.keep_waiting)

    def start(self) -> None:
        """Write the first heartbeat; raises QueueError."""
        self._began = sleepless()
        with self._queue.write() as tx:
            # By the queue's clock, with which other machines compare it.
            now = moment(tx, time.time())
            self._take_over(tx, now)
            register(
                tx,
                Daemon(
                    owner=self.owner,
                    host=socket.gethostname(),
                    pid=os.getpid(),
                    process=process_identity(),
                    doorbell=self._doorbell,
                    relay=self._relay,
                    started=now,
                    seen=now,
                    lease_until=now + LEASE_SECONDS,
                ),
            )

    async def run(
        self,
        doubted: Callable[[], None] = lambda: None,
        certain: Callable[[], None] = lambda: None,
    ) -> None:
        """Renew until cancelled; raises LeaseLost when the claims are no longer ours.

        A queue that cannot be written is no reason to end: nothing can be claimed from
        it, and the verdicts that wait to be written would be lost. But before a daemon
        that still reaches it may take over, `doubted` is called, and `certain` once the
        lease is renewed after all.
        """
        shared = self._queue.shared
        seconds = LEASE_SECONDS - MARGIN_SECONDS if shared else math.inf
        lease = Lease(seconds, doubted, certain)
        # It may take a while from the first heartbeat to here: the queue may hang.
        lease.renewed(self._began)
        try:
            await self._keep(lease)
        finally:
            lease.end()

    async def _keep(self, lease: Lease) -> None:
        loop = asyncio.get_running_loop()
        while True:
            await asyncio.sleep(RENEW_SECONDS)
            began = lease.now()
            try:
                kept = await loop.run_in_executor(self._thread, self._beat)
            except QueueError as error:
                if self._queue.replaced:
                    raise LeaseLost(error.reason) from None
                self._sightings.was_blind()
                if not self.failing:
                    log.error("%s; no heartbeat until it can be written", error)
                self.failing = True
                continue
            if not kept:
                raise LeaseLost("another daemon has taken this one for dead")
            lease.renewed(began)
            if self.failing:
                log.info("the heartbeat is written again")
            self.failing = False
            await loop.run_in_executor(self._thread, self._try_to_take_over)

    def stop(self, failed: bool = False) -> None:
        """Take the row away; what is still claimed may be sent twice.

        `failed`: the large mail among it may be why the daemon ends. Raises QueueError.
        """
        # A beat that is under way must not use the queue after this.
        self._thread.shutdown()
        with self._queue.write() as tx:
            if failed:
                put_off_large(tx, self.owner, moment(tx, time.time()))
            retire(tx, self.owner)

    def _beat(self) -> bool:
        with self._queue.write() as tx:
            now = moment(tx, time.time())
            return renew(tx, self.owner, now, LEASE_SECONDS, self._relay)

    def _try_to_take_over(self) -> None:
        """Take over, unless something is in the way: that never costs its own lease."""
        try:
            with self._queue.write() as tx:
                is_locked = not self._take_over(tx, moment(tx, time.time()))
        except QueueError as error:
            self._sightings.was_blind()
            self._takeover_failed(error)
        else:
            if is_locked:
                words = (
                    "daemons are gone, and another transaction locks what was theirs"
                )
                self._takeover_failed(QueueError(self._queue.name, verbatim(words)))
            else:
                self._failed_takeovers = 0

    def _takeover_failed(self, error: QueueError) -> None:
        self._failed_takeovers += 1
        # The first may be the beginning of an outage, which the next beat tells of.
        if self._failed_takeovers == 2:
            log.error("%s; mail of daemons that are gone waits for that", error)

    def _take_over(self, tx: Transaction, now: float) -> bool:
        """Take over from daemons that are gone; False: some are for a later beat.

        Nothing waits for a lock: that would hold up this start, and other mail.
        """
        # On a server that has just started every lease may be over.
        long_enough = now - up_since(tx) >= LEASE_SECONDS
        judged = now if long_enough else -math.inf
        gone = self._sightings.gone(all_daemons(tx), judged)
        free = [daemon for daemon in gone if may_retire(tx, daemon.owner)]
        for daemon in free:
            log.warning(
                "the daemon with pid %d on %s is gone: its mail goes on here",
                daemon.pid,
                daemon.host,
            )
            put_off_large(tx, daemon.owner, now)
            retire(tx, daemon.owner)
        recover_ownerless(tx)
        return len(free) == len(gone) and not ownerless(tx)
