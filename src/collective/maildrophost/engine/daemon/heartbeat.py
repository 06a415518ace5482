"""The daemon's heartbeat, which is also the lease on all that it has claimed."""

from __future__ import annotations

import asyncio
import logging
import os
import secrets
import socket
import time

from ..errors import MaildropError
from ..queue import (
    Daemon,
    Queue,
    QueueError,
    Transaction,
    all_daemons,
    register,
    renew,
    retire,
)
from .identity import is_gone, process_identity

log = logging.getLogger("maildrop.daemon")

LEASE_SECONDS = 60.0
RENEW_SECONDS = 5.0
MARGIN_SECONDS = 15.0
"""So long before the end of its lease a daemon that could not renew it stops."""


class LeaseLost(MaildropError):
    """Another daemon may have what this one had claimed: it must not go on sending."""


class Heartbeat:
    """Announces this daemon, keeps its lease, takes over from daemons that are gone."""

    def __init__(self, queue: Queue, relay: str, doorbell: str) -> None:
        self.owner = secrets.token_hex(16)
        self._queue = queue
        self._relay = relay
        self._doorbell = doorbell
        self._renewed = time.monotonic()

    def start(self) -> None:
        """Write the first heartbeat; raises QueueError."""
        now = time.time()
        with self._queue.write() as tx:
            _take_over(tx, now)
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
        self._renewed = time.monotonic()

    async def run(self) -> None:
        """Renew until cancelled; raises LeaseLost when the lease can't be kept."""
        while True:
            await asyncio.sleep(RENEW_SECONDS)
            try:
                kept = await asyncio.to_thread(self._beat)
            except QueueError as error:
                self._check_lease(error)
                continue
            if not kept:
                raise LeaseLost("another daemon has taken this one for dead")
            self._renewed = time.monotonic()

    def stop(self) -> None:
        """Take the row away; what is still claimed may be sent twice."""
        with self._queue.write() as tx:
            retire(tx, self.owner)

    def _beat(self) -> bool:
        now = time.time()
        with self._queue.write() as tx:
            kept = renew(tx, self.owner, now, LEASE_SECONDS, self._relay)
            if kept:
                _take_over(tx, now)
        return kept

    def _check_lease(self, error: QueueError) -> None:
        left = LEASE_SECONDS - (time.monotonic() - self._renewed)
        log.error("%s; heartbeat not written, %.0f s are left", error, left)
        if left < MARGIN_SECONDS:
            raise LeaseLost(f"the heartbeat could not be written: {error.reason}")


def _take_over(tx: Transaction, now: float) -> None:
    for daemon in all_daemons(tx):
        if not daemon.alive(now) or is_gone(daemon.process):
            log.warning(
                "the daemon with pid %d on %s is gone: its mail goes on here",
                daemon.pid,
                daemon.host,
            )
            retire(tx, daemon.owner)
