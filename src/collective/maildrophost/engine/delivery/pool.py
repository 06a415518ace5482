"""The open connections: those that wait for their next message, and those lent."""

from __future__ import annotations

import asyncio

from ..smtp import Connection
from .route import Failover

IDLE_SECONDS = 5.0
"""How long a connection is kept for the next message before QUIT."""


class Pool:
    """Keeps connections between two messages, closes them when none comes."""

    def __init__(self, failover: Failover, batch: int) -> None:
        self._failover = failover
        self._batch = batch
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
        """A new connection, whatever waits."""
        connection = await self._failover.open()
        self._lent.add(connection)
        return connection

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
