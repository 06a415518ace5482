"""Delivery as a whole: a ledger, its workers, the health of the relay."""

from __future__ import annotations

import asyncio
import logging
import time
from functools import partial

from ..config import Configuration
from ..queue import Queue, RelayPause, Transaction, clear, pause, pauses
from ..smtp import RelayFault
from . import journal
from .health import LONGEST_PAUSE_SECONDS, SHORTEST_PAUSE_SECONDS, Health, PausePolicy
from .ledger import Ledger
from .pace import Pace
from .permits import Permits
from .pool import Pool
from .retry import RetryPolicy
from .route import Failover, Route
from .unsettled import Finished
from .worker import Worker

log = logging.getLogger("maildrop.delivery")


class Delivery:
    """Sends what is due in a queue by one configuration, until it is stopped."""

    def __init__(
        self,
        configuration: Configuration,
        route: Route,
        queue: Queue,
        owner: str,
        once: bool = False,
    ) -> None:
        self.route = route
        self._pause = PausePolicy(
            min(SHORTEST_PAUSE_SECONDS, configuration.retry_min),
            min(LONGEST_PAUSE_SECONDS, configuration.retry_max),
        )
        self._failover = Failover(self.route, self._pause)
        self._permits = Permits(
            Pace.of(configuration.wait_interval, configuration.rate)
        )
        self._remember_pause(queue)
        self._pool = Pool(self._failover.open, configuration.batch)
        self.ledger = Ledger(
            queue,
            owner,
            configuration.concurrency,
            self._permits,
            configuration.interval,
            self._settled,
            once,
        )
        self._workers = [
            self._worker(configuration) for _ in range(configuration.concurrency)
        ]

    @property
    def health(self) -> Health:
        """How the relay is, as far as is known."""
        return self._permits.health

    async def run(self) -> None:
        """Until stopped with nothing in flight, or (with `once`) nothing is due."""
        runs = [self.ledger.run(), *(worker.run() for worker in self._workers)]
        tasks = [asyncio.create_task(run) for run in runs]
        try:
            # The first part that dies ends all: its message comes back with the lease.
            await asyncio.gather(*tasks)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            await self._pool.close()

    def _worker(self, configuration: Configuration) -> Worker:
        policy = RetryPolicy(
            configuration.retry_min, configuration.retry_max, configuration.lifetime
        )
        return Worker(
            self.ledger,
            self._pool,
            policy,
            configuration.debug_receiver,
            self._relay_works,
            self._relay_failed,
        )

    def _settled(self, finished: Finished) -> None:
        journal.write(finished, time.time())

    def _remember_pause(self, queue: Queue) -> None:
        """A fault found before a restart stands until the relay has been tried."""
        with queue.read() as tx:
            known = [each for each in pauses(tx) if each.name == self.route.name]
        for each in known:
            self._permits.health = Health(each.fault, each.since, each.failures)

    def _relay_works(self) -> None:
        if self.health.good:
            return
        log.info("relay %s works again", self.route.name)
        self._permits.health = Health()
        self.ledger.note(partial(_clear, self.route.name))
        self.ledger.wake()

    def _relay_failed(self, fault: RelayFault) -> None:
        self._failover.failed(fault)
        if self._failover.has_other(fault.relay):
            log.warning("%s; the next host is tried, no mail is lost", fault)
            return
        before, now = self.health, time.time()
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
            self.route.name,
            str(fault),
            after.since,
            after.paused_until,
            after.failures,
        )
        self.ledger.note(partial(pause, paused=paused))


def _clear(name: str, tx: Transaction) -> None:
    clear(tx, name)
