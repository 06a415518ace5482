"""Notices that the clock was set; sees to it that no mail waits for the old time."""

from __future__ import annotations

import asyncio
import logging
import math
import time
from collections.abc import Callable

from ..queue import Queue, pull_back
from .trouble import Trouble

log = logging.getLogger("maildrop.daemon")

LOOK_SECONDS = 1.0
STEP_SECONDS = 2.0
"""A clock that is kept right by slewing never moves so far between two looks."""


class ClockWatch:
    """Compares the time of day with a clock that nobody can set."""

    def __init__(
        self, queue: Queue, longest_wait: float, wake: Callable[[], None]
    ) -> None:
        self._queue = queue
        self._longest_wait = longest_wait
        self._wake = wake

    async def run(self) -> None:
        """Look for steps of the clock until cancelled."""
        # It may have been set back while no daemon ran.
        last_offset = math.inf
        trouble = Trouble("mail may wait for the clock's old time")
        while True:
            offset = time.time() - time.monotonic()
            with trouble.told_once():
                if offset < last_offset - STEP_SECONDS:
                    await asyncio.to_thread(self.pull_back)
                if abs(offset - last_offset) > STEP_SECONDS:
                    self._wake()
                last_offset = offset
            await asyncio.sleep(LOOK_SECONDS)

    def pull_back(self) -> None:
        """Make due what would wait for the old time; raises QueueError."""
        count = pull_back(self._queue, time.time(), self._longest_wait)
        if count:
            log.warning(
                "the clock was set back, or mail was deferred with a longer "
                "MAILDROP_RETRY_MAX: %d messages do not wait for that",
                count,
            )
