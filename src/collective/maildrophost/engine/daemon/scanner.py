"""Has dropped files taken in: as long as the daemon runs, or once."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from ..config import Configuration
from ..intake import QUIET_SECONDS, Intake, Untaken
from ..queue import Queue
from .trouble import Trouble

SCAN_SECONDS = 1.0
"""A look at an unchanged directory costs microseconds, so it is not put off longer."""


class Scanner:
    """Scans the drop directories of one configuration, beside the event loop."""

    def __init__(
        self, configuration: Configuration, queue: Queue, wake: Callable[[], None]
    ) -> None:
        self._intake = Intake(queue, configuration.spool, configuration.add_messageid)
        self._pause = min(SCAN_SECONDS, configuration.interval)
        self._wake = wake
        self.scanned = asyncio.Event()
        """Set once the drop directories have been looked at."""

    @property
    def looked_through(self) -> bool:
        """Whether each file that was there at the start has had its turn."""
        return self._intake.looked_through

    def stop(self) -> None:
        """Take no more files, not even in a scan that is under way."""
        self._intake.stop()

    async def run(self) -> None:
        """Scan until cancelled."""
        trouble = Trouble("dropped files stay where they are")
        while True:
            with trouble.told_once():
                if await asyncio.to_thread(self._intake.scan):
                    self._wake()
            self.scanned.set()
            await asyncio.sleep(self._pause)

    async def once(self) -> Untaken | None:
        """Scan, and return what kept a file from being taken: other mail goes on."""
        untaken = await self._scan()
        if self._intake.waits:
            await asyncio.sleep(QUIET_SECONDS)
            untaken = await self._scan()
        return untaken

    async def _scan(self) -> Untaken | None:
        try:
            await asyncio.to_thread(self._intake.scan)
        except Untaken as error:
            return error
        return None
