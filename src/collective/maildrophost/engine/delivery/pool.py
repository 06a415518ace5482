"""The open connections: those that are idle, and those lent to a message."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

from ..smtp import Connection
from .concurrencylimit import ConcurrencyLimit
from .failover import Failover, Full

IDLE_SECONDS = 5.0
"""How long a connection is kept for the next message before QUIT."""


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
        self._limit = ConcurrencyLimit(clock)
        self._opening = 0
        self._idle: list[tuple[Connection, asyncio.TimerHandle]] = []
        # Until the verdicts of their messages are on disk.
        self._lent: set[Connection] = set()
        self._closing: set[asyncio.Task[None]] = set()

    async def take(self) -> Connection:
        """An idle connection, else a new one; RelayFault when there can be none.

        An idle one is closed if a new one would go to another host: with mail all the
        time, a host that only stands in would be used for ever.
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
                # The other idle ones stay: the first host may still be at fault.
                break
        return await self.fresh()

    async def fresh(self) -> Connection:
        """A new connection, whatever is idle; RelayFault or Full."""
        self._opening += 1
        try:
            connection = await self._failover.open(self._has_others)
        except Full as full:
            self._limit.refused(str(full), self._open_now)
            raise
        finally:
            self._opening -= 1
        self._lent.add(connection)
        self._limit.let_in(self._open_now)
        return connection

    def free(self, in_flight: int) -> int | None:
        """How many more messages may start beside so many; None: any number."""
        return self._limit.free(self._open_now, in_flight, bool(self._closing))

    def most(self, concurrency: int) -> int:
        """How many connections the lanes share."""
        return self._limit.most(concurrency, self._open_now)

    @property
    def full_seconds(self) -> float:
        """For how many seconds no further connection is tried."""
        return self._limit.seconds

    @property
    def _open_now(self) -> int:
        return len(self._lent) + len(self._idle)

    def _has_others(self) -> bool:
        """Whether there are others beside the one that has just been refused."""
        return self._opening > 1 or bool(self._open_now or self._closing)

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
