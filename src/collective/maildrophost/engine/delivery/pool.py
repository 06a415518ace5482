"""The open connections: those that wait for their next message, and those lent."""

from __future__ import annotations

import asyncio
import logging
import math
import time
from collections.abc import Callable

from ..smtp import Connection
from .route import Failover, Full

log = logging.getLogger("maildrop.delivery")

IDLE_SECONDS = 5.0
"""How long a connection is kept for the next message before QUIT."""
FULL_SECONDS = 2.0
"""How long no further connection is tried at a relay that lets no more in: those that
are in use may all hang. It doubles with each one that is refused ..."""
LONGEST_FULL_SECONDS = 60.0
"""... up to this."""
TELL_SECONDS = 3600.0
"""From when on the log says so again."""


class Pool:
    """Keeps connections between two messages, closes them when none comes."""

    def __init__(
        self,
        failover: Failover,
        batch: int,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._failover = failover
        self._batch = batch
        self._clock = clock
        self._opening = 0
        # Of the relay when it was full: further connections are tried one by one.
        self._refusal = ""
        self._pause = FULL_SECONDS
        self._full_until = self._told = -math.inf
        self._idle: list[tuple[Connection, asyncio.TimerHandle]] = []
        # Until the verdicts of their messages are on disk.
        self._lent: set[Connection] = set()
        self._closing: set[asyncio.Task[None]] = set()

    async def take(self) -> Connection:
        """A connection that waited, else a new one; RelayFault when there is none.

        One to another host than a new one would go to is closed instead: with mail all
        the time, a host that stood in would be used for good.
        """
        while self._idle:
            connection, timer = self._idle.pop()
            timer.cancel()
            outdated = connection.relay != self._failover.first
            if connection.usable and not outdated:
                self._lent.add(connection)
                return connection
            self._quit(connection)
            if outdated:
                # The others wait on: the first host may still be at fault.
                break
        return await self.fresh()

    async def fresh(self) -> Connection:
        """A new connection, whatever waits; raises RelayFault, or Full."""
        self._opening += 1
        try:
            connection = await self._failover.open(self._has_others)
        except Full as full:
            self._found_full(full)
            raise
        finally:
            self._opening -= 1
        self._lent.add(connection)
        self._pause = FULL_SECONDS
        self._tell_of_refusal()
        return connection

    def free(self, in_flight: int) -> int | None:
        """How many messages more may start; None: as many as there are workers.

        `in_flight`: those that have a connection, or wait for one. At a relay that lets
        no more in the connections that are there are used, and now and then one more.
        """
        there = len(self._lent) + len(self._idle)
        # Of those that are left one may hang before it is let in.
        if not there and not (self.full_seconds and (in_flight or self._closing)):
            self._refusal = ""
        if not self._refusal:
            return None
        more = 0 if self.full_seconds else 1
        return max(0, there + more - in_flight)

    def most(self, concurrency: int) -> int:
        """How many connections the lanes share."""
        # One more may be tried by each of them.
        if not (self._refusal and self.full_seconds):
            return concurrency
        return max(1, min(concurrency, len(self._lent) + len(self._idle)))

    @property
    def full_seconds(self) -> float:
        """For so long no further connection is tried."""
        return max(0.0, self._full_until - self._clock())

    def _has_others(self) -> bool:
        """Whether the one that is just refused is not the only one."""
        return self._opening > 1 or bool(self._lent or self._idle or self._closing)

    def _found_full(self, full: Full) -> None:
        now = self._clock()
        if now >= self._full_until:
            self._full_until = now + self._pause
            self._pause = min(2 * self._pause, LONGEST_FULL_SECONDS)
        self._refusal = str(full)
        self._tell_of_refusal()

    def _tell_of_refusal(self) -> None:
        # With none that it has let in, that is not what is wrong with it.
        some = self._refusal and (self._lent or self._idle)
        if some and self._clock() - self._told >= TELL_SECONDS:
            self._told = self._clock()
            log.warning(
                "%s; mail goes by the connections that it has let in, which are fewer "
                "than MAILDROP_CONCURRENCY",
                self._refusal,
            )

    def give(self, connection: Connection) -> None:
        """Keep a connection for the next message, or close it when it is used up."""
        self._lent.discard(connection)
        self._failover.done(connection)
        used_up = self._batch and connection.served >= self._batch
        if used_up or not connection.usable:
            self._quit(connection)
            return
        loop = asyncio.get_running_loop()
        timer = loop.call_later(IDLE_SECONDS, self._expire, connection)
        self._idle.append((connection, timer))

    async def close(self) -> None:
        """Say goodbye on every connection; nobody uses one any more."""
        for connection, timer in self._idle:
            timer.cancel()
            self._quit(connection)
        for connection in self._lent:
            self._quit(connection)
        self._idle.clear()
        self._lent.clear()
        if self._closing:
            await asyncio.wait(self._closing)

    def _expire(self, connection: Connection) -> None:
        self._idle = [entry for entry in self._idle if entry[0] is not connection]
        self._quit(connection)

    def _quit(self, connection: Connection) -> None:
        task = asyncio.get_running_loop().create_task(connection.quit())
        self._closing.add(task)
        task.add_done_callback(self._closing.discard)
