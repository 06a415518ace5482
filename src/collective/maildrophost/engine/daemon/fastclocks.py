"""Sees to it that no mail waits because its sender's clock is ahead of this one."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import math
import time
from collections import deque
from collections.abc import Callable

from ..queue import Queue, newest_id, pull_back_new
from ..system.patience import within
from .trouble import Trouble

log = logging.getLogger("maildrop.daemon")

LOOK_SECONDS = 1.0
"""Between two looks, however much is queued."""
AGAIN_SECONDS = 30.0
"""A server gives ids before it commits: for so long one may appear after newer ones."""
BEFORE = 1000
"""How many ids below the newest are looked at when the daemon starts: they may still
appear, or have appeared since the ClockWatch's first look."""
TELL_SECONDS = 3600.0


class FastClocks:
    """Looks at what is new in the queue: ids grow, whatever clocks say.

    What was there before is left to the ClockWatch's first look.
    """

    def __init__(self, queue: Queue, interval: float, wake: Callable[[], None]) -> None:
        self._queue = queue
        self._interval = interval
        self._wake = wake
        self._news = asyncio.Event()
        self._seen = 0
        # The newest ids at the last two times when it looked again.
        self._marks: deque[int] = deque(maxlen=2)
        self._marked = time.monotonic()
        self._told = -math.inf

    def ring(self) -> None:
        """There may be new mail."""
        self._news.set()

    async def run(self) -> None:
        """Look until cancelled: at news, or after `interval` seconds without any."""
        trouble = Trouble("mail may wait for its sender's clock")
        while True:
            self._news.clear()
            with trouble.told_once():
                if await asyncio.to_thread(self._look):
                    self._wake()
            await asyncio.sleep(LOOK_SECONDS)
            with contextlib.suppress(TimeoutError):
                await within(self._news.wait(), self._interval)

    def _look(self) -> bool:
        """Whether something has become due; raises QueueError."""
        moment = time.monotonic()
        again = moment - self._marked >= AGAIN_SECONDS
        with self._queue.read() as tx:
            newest = newest_id(tx)
        if not self._marks or newest < self._seen:
            # A queue that was restored, or has lost its last mail with its server,
            # gives ids again.
            self._begin(newest)
        after = self._marks[0] if again else self._seen
        # The time is read after the newest id: so what is ahead is so by its sender's
        # clock.
        ahead = pull_back_new(self._queue, time.time(), after, newest)
        if again:
            self._marks.append(newest)
            self._marked = moment
        self._seen = newest
        if ahead.messages and moment - self._told >= TELL_SECONDS:
            self._told = moment
            log.warning(
                "mail comes from a clock that is %.0f s ahead of this one: it is "
                "sent all the same; let NTP set all clocks",
                ahead.seconds,
            )
        return ahead.messages > 0

    def _begin(self, newest: int) -> None:
        self._seen = max(0, newest - BEFORE)
        # Never later than before: what was written then may be committed only now.
        self._marks.extend([min([self._seen, *self._marks])] * 2)
