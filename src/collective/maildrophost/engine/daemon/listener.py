"""Hears of new mail from every machine, if the database tells of it."""

from __future__ import annotations

import asyncio
import logging
import math
from collections.abc import Callable
from time import monotonic

from ..queue import Queue, QueueError

log = logging.getLogger("maildrop.daemon")

SHORTEST_PAUSE_SECONDS = 0.5
LONGEST_PAUSE_SECONDS = 30.0
STEADY_SECONDS = 5.0
"""One that has listened for so long, and can listen again at once, was cut off for its
silence: by a proxy, or by idle_session_timeout."""


async def listen(queue: Queue, wake: Callable[[], None]) -> None:
    """Listen until cancelled; a short cut, like the doorbell.

    Without it the daemon looks after MAILDROP_INTERVAL; so no trouble here ends it.
    """
    pause, failing = SHORTEST_PAUSE_SECONDS, False
    while True:
        since = math.inf
        try:
            if (rings := queue.rings()) is None:
                await asyncio.Event().wait()
                return
            # At the first item, too: for what came while nobody listened.
            async for _ in rings:
                since = min(since, monotonic())
                if failing:
                    log.info("the queue announces new mail again")
                failing = False
                wake()
        except QueueError as error:
            if monotonic() - since >= STEADY_SECONDS:
                pause = SHORTEST_PAUSE_SECONDS
            elif not failing:
                log.warning(
                    "%s; new mail is found by looking until the queue announces it "
                    "again",
                    error,
                )
                failing = True
        await asyncio.sleep(pause)
        pause = min(2 * pause, LONGEST_PAUSE_SECONDS)
