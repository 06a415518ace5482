"""What a running daemon does, all at the same time; if one part dies, all ends."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import signal
import time
from collections.abc import AsyncIterator, Coroutine
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from ..config import Configuration
from ..delivery import Delivery
from ..doorbell import Doorbell
from ..errors import MaildropError
from ..queue import Queue
from ..system import signals
from .clockwatch import ClockWatch
from .doorkeeper import Doorkeeper
from .fastclocks import FastClocks
from .heartbeat import Heartbeat, LeaseLost
from .housekeeping import Housekeeping
from .listener import listen
from .reload import Reload
from .scanner import Scanner
from .systemd import Systemd

log = logging.getLogger("maildrop.daemon")

HEARING_SECONDS = 0.02
"""For a caught signal to get through the event loop to our handler."""
QUEUE_SECONDS = 3.0
"""For the queue after MAILDROP_STOP_TIMEOUT; supervisors kill seven seconds later."""


class Service:
    """The parts of one daemon on one event loop."""

    def __init__(
        self,
        configuration: Configuration,
        queue: Queue,
        delivery: Delivery,
        heartbeat: Heartbeat,
        bell: Doorbell,
    ) -> None:
        self._configuration = configuration
        self._queue = queue
        self._delivery = delivery
        self._heartbeat = heartbeat
        self._doorkeeper = Doorkeeper(bell, self._wake)
        self._systemd = Systemd(os.environ)
        self._clock = ClockWatch(queue, configuration.retry_max, delivery.ledger.wake)
        self._fast_clocks = FastClocks(
            queue, configuration.interval, delivery.ledger.wake
        )
        self._scanner = Scanner(configuration, queue, delivery.ledger.wake)
        self._housekeeping = Housekeeping(configuration, queue, self._scanner, delivery)
        self._told_to_end = asyncio.Event()
        self._told_to_stop = False
        self._stop_by = 0.0
        self._reload = Reload(configuration, queue, self._cannot_write, self._refused)
        self._reloaded: Configuration | None = None

    async def run(self, *beside: Coroutine[Any, Any, None]) -> Configuration | None:
        """Serve until told to stop, or until SIGHUP: then returns what to go on with.

        `beside` are more parts like its own. Raises what ended one that must not end.
        """
        self._systemd.ready(self._status)
        async with self._heeding_signals():
            await self._run_together(
                self._delivery.run(),
                self._scanner.run(),
                self._housekeeping.run(),
                self._housekeeping.keep_wal_small(),
                self._clock.run(),
                self._fast_clocks.run(),
                self._doorkeeper.run(),
                listen(self._queue, self._wake),
                self._delivery.follow(),
                self._systemd.watch(),
                self._reload.run(self._go_on_with),
                *beside,
            )
        if self._told_to_stop:
            return None
        # SIGHUP may have come after the parts ended, while connections said goodbye.
        return await self._reload.late() or self._reloaded

    async def once(self) -> None:
        """Take in what was dropped, send what is due, end."""
        async with self._heeding_signals():
            await self._run_together(self._take_in_and_deliver())

    @property
    def left(self) -> float:
        """How many seconds of MAILDROP_STOP_TIMEOUT a stop has not used; else 0."""
        return max(0.0, self._stop_by - time.monotonic())

    async def _take_in_and_deliver(self) -> None:
        untaken = await self._scanner.once()
        await asyncio.to_thread(self._clock.pull_back)
        await self._delivery.run()
        if untaken is not None:
            raise untaken

    async def _run_together(
        self,
        delivery: Coroutine[Any, Any, None],
        *more: Coroutine[Any, Any, None],
    ) -> None:
        delivering = asyncio.create_task(delivery)
        stopping = asyncio.create_task(self._told_to_end.wait())
        parts = [asyncio.create_task(part) for part in (*more, self._beat())]
        try:
            await asyncio.wait(
                [delivering, stopping, *parts], return_when=asyncio.FIRST_COMPLETED
            )
            # Else the end would wait for all that is in the drop directories.
            self._scanner.stop()
            await self._finish(delivering)
            for part in parts:
                if part.done():
                    part.result()
        finally:
            for task in (delivering, stopping, *parts):
                task.cancel()
            await asyncio.gather(delivering, stopping, *parts, return_exceptions=True)

    async def _beat(self) -> None:
        """Keep the lease; whenever it is lost, nothing in flight goes on."""
        try:
            await self._heartbeat.run(self._delivery.doubt, self._delivery.go_on)
        except LeaseLost:
            self._delivery.lose()
            raise

    async def _finish(self, delivering: asyncio.Task[None]) -> None:
        """Let the mails in flight end, within MAILDROP_STOP_TIMEOUT."""
        if self._reloaded is None:
            self._systemd.stopping()
        self._delivery.stop()
        ledger, seconds = self._delivery.ledger, self._configuration.stop_timeout
        await asyncio.wait([delivering], timeout=seconds)
        if not delivering.done():
            if ledger.in_flight:
                log.warning(
                    "%d mails in flight did not end within %g s: they stay in the "
                    "queue, those that the relay may have as possible duplicates",
                    ledger.in_flight,
                    seconds,
                )
            else:
                log.warning(
                    "no mail is in flight, but the queue or a relay has not answered "
                    "within %g s: the daemon waits for that before it ends",
                    seconds,
                )
            # Also without any: the queue may be about to hand some out.
            await self._delivery.cut_short(QUEUE_SECONDS)
        if delivering.done():
            delivering.result()

    def _wake(self) -> None:
        """There may be new mail."""
        self._delivery.ledger.wake()
        self._fast_clocks.ring()

    @contextlib.asynccontextmanager
    async def _heeding_signals(self) -> AsyncIterator[None]:
        loop = asyncio.get_running_loop()
        # A thread that lets signals in would get those that the main one keeps waiting.
        loop.set_default_executor(ThreadPoolExecutor(initializer=signals.keep_waiting))
        for number in signals.STOP:
            loop.add_signal_handler(number, self._stop)
        loop.add_signal_handler(signal.SIGHUP, self._reload.ask)
        signals.let_in()
        try:
            yield
        finally:
            signals.keep_waiting()
            # Signals that came before that are on their way through the loop.
            await asyncio.sleep(HEARING_SECONDS)

    def _stop(self) -> None:
        """Stop, also in the middle of a reload, which then never happens."""
        if self._reloaded is not None:
            self._systemd.stopping()
        if not self._told_to_stop:
            self._stop_by = time.monotonic() + self._configuration.stop_timeout
            self._queue.wait_until(self._stop_by + QUEUE_SECONDS)
        self._told_to_stop = True
        self._told_to_end.set()

    def _go_on_with(self, reloaded: Configuration) -> None:
        """Stop as cleanly as ever, to start again with the new configuration."""
        if not self._told_to_stop:
            self._reloaded = reloaded
            self._systemd.reloading()
            self._told_to_end.set()

    def _refused(self, error: MaildropError) -> None:
        """Whoever sent the signal hears of it only by systemd's status and the log."""
        at = time.strftime("%Y-%m-%d %H:%M")
        self._systemd.refused(
            f"{self._status}; configuration refused at {at}, the old one stays in "
            f"force: {error}"
        )

    @property
    def _status(self) -> str:
        return f"relay {self._delivery.route.name}"

    def _cannot_write(self) -> bool:
        return self._heartbeat.failing or self._delivery.ledger.cannot_write
