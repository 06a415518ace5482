"""Delivery as a whole: a ledger, its workers, the health of the relay."""

from __future__ import annotations

import asyncio
import logging
import socket
import time
from collections.abc import Callable, Sequence

from ..config import Configuration
from ..queue import Queue
from . import journal
from .blame import Blame
from .books import Write
from .failover import Failover
from .finished import Finished
from .ledger import Ledger
from .notifications import NotificationPolicy
from .pace import Pace
from .permits import Permits
from .pool import Pool
from .relayhealth import PausePolicy
from .relaywatch import RelayWatch
from .retry import RetryPolicy
from .route import Route
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
        write: Write,
        once: bool = False,
    ) -> None:
        self.route = route
        self.observe: Callable[[Finished, float], object] = lambda finished, now: None
        """Called with each message that was settled, and when."""
        self._queue = queue
        self._serving: asyncio.Task[None] | None = None
        pauses = PausePolicy.of(configuration.retry_min, configuration.retry_max)
        failover = Failover(route, pauses)
        self._pool = Pool(failover, configuration.batch)
        pace = Pace.of(configuration.wait_interval, configuration.rate)
        permits = Permits(pace, route.name, self._pool)
        self.ledger = Ledger(
            write,
            owner,
            configuration.concurrency,
            permits,
            configuration.interval,
            self._settled,
            once,
        )
        notify = NotificationPolicy.of(
            configuration, configuration.helo_name or socket.gethostname()
        )
        self._watch = RelayWatch(
            route.name, failover, permits, self.ledger, pauses, notify, owner
        )
        self._watch.remember(queue)
        retry = RetryPolicy(
            configuration.retry_min, configuration.retry_max, configuration.lifetime
        )
        blame = Blame()
        self._workers = [
            Worker(
                self.ledger,
                self._pool,
                retry,
                notify,
                configuration.debug_receiver,
                blame,
                self._watch.works,
                self._watch.failed,
            )
            for _ in range(configuration.concurrency)
        ]

    async def run(self) -> None:
        """Until stopped with nothing in flight, or (with `once`) nothing is due."""
        runs = [self.ledger.run(), *(worker.run() for worker in self._workers)]
        tasks = [asyncio.create_task(run) for run in runs]
        self._serving = tasks[0]
        try:
            # The first part that dies ends all; its message comes back with the lease.
            # Not `gather`, which would cancel them all by itself.
            ended, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_EXCEPTION)
            for task in ended:
                task.result()
        finally:
            for worker in self._workers:
                worker.end()
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            await self._pool.close()

    def stop(self) -> None:
        """Claim nothing more, and give back what has no connection yet."""
        self.ledger.stop()
        for worker in self._workers:
            worker.stop()

    async def cut_short(self, seconds: float) -> None:
        """After `stop`: end what is in flight, and wait until that is written.

        What the relay cannot have taken goes back as it was. All else stays claimed: it
        may have arrived. The queue has `seconds` for it. Raises what keeps it from
        being written for good.
        """
        for worker in self._workers:
            worker.cut_short()
        if self._serving is not None:
            await asyncio.wait([self._serving], timeout=seconds)
            if self._serving.done() and not self._serving.cancelled():
                self._serving.result()

    async def follow(self) -> None:
        """Heed what other daemons find out about the relay, until cancelled."""
        await self._watch.follow(self._queue)

    def doubt(self) -> None:
        """Another daemon may take over what this one has: send no more of it."""
        self._break_off("could not be renewed", "nothing is sent until it is")

    def lose(self) -> None:
        """What this one has is another daemon's, or nobody's: send no more of it."""
        self._break_off("is lost", "the daemon ends")

    def _break_off(self, what: str, then: str) -> None:
        log.error(
            "the lease %s: %d mails in flight are broken off, %s",
            what,
            self.ledger.in_flight,
            then,
        )
        self.ledger.doubt()
        for worker in self._workers:
            worker.break_off()

    def go_on(self) -> None:
        """Nobody has taken over: claim and send again."""
        self.ledger.trust()

    def _settled(self, settled: Sequence[Finished]) -> None:
        now = time.time()
        journal.write(settled, now)
        for finished in settled:
            self.observe(finished, now)
