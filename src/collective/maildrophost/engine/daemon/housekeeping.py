"""What a daemon does so that its queue does not grow for ever; mail goes first."""

from __future__ import annotations

import asyncio
import logging
import time

from ..config import Configuration
from ..delivery import Delivery
from ..queue import Queue, QueueError, empty_large_wal, moment, prune, prune_files, tidy
from ..queue.prune import AT_ONCE
from .scanner import Scanner

log = logging.getLogger("maildrop.daemon")

PRUNE_SECONDS = 600.0
PAUSE_SECONDS = 0.1
"""Between two short steps, so that others get to write."""
IN_FLIGHT_SECONDS = 1.0
"""... while mail is on its way."""
WAL_SECONDS = 5.0
"""Between two looks at how large it is ..."""
WAL_TRY_SECONDS = 0.1
"""... and two tries to make it smaller."""


class Housekeeping:
    """Old records, free pages, and the write-ahead log of one daemon's queue."""

    def __init__(
        self,
        configuration: Configuration,
        queue: Queue,
        scanner: Scanner,
        delivery: Delivery,
    ) -> None:
        self._configuration = configuration
        self._queue = queue
        self._scanner = scanner
        self._delivery = delivery

    async def run(self) -> None:
        """Prune what is old, then give back what is free; again and again."""
        await self._scanner.scanned.wait()
        while True:
            until = time.monotonic() + PRUNE_SECONDS
            try:
                await self._prune()
                await self._shrink(until)
            except QueueError as error:
                log.error("%s; old records stay for now", error)
            await asyncio.sleep(until - time.monotonic())

    async def keep_wal_small(self) -> None:
        """Keep the write-ahead log small until cancelled.

        Also while mail is on its way: where it always is, the log would fill a disk.
        """
        while True:
            is_small = await asyncio.to_thread(empty_large_wal, self._queue)
            await asyncio.sleep(WAL_SECONDS if is_small else WAL_TRY_SECONDS)

    async def _prune(self) -> None:
        while True:
            if await asyncio.to_thread(self._prune_some) < AT_ONCE:
                return
            await asyncio.sleep(PAUSE_SECONDS)

    def _prune_some(self) -> int:
        configuration = self._configuration
        with self._queue.write() as tx:
            # What only a clock that is ahead takes for old must not be lost.
            now = min(time.time(), moment(tx, time.time()))
            pruned = prune(
                tx, now, configuration.history_days, configuration.failed_days
            )
            # Until then a file that came back while nobody looked must still be known.
            if self._scanner.looked_through:
                pruned += prune_files(tx, now)
            return pruned

    async def _shrink(self, until: float) -> None:
        """Until nothing is left to do, or until that time on the monotonic clock."""
        while time.monotonic() < until:
            if self._delivery.ledger.in_flight:
                await asyncio.sleep(IN_FLIGHT_SECONDS)
            elif await asyncio.to_thread(tidy, self._queue):
                await asyncio.sleep(PAUSE_SECONDS)
            else:
                return
