"""How many of the messages that were due are through, for a run that ends by itself."""

from __future__ import annotations

import time
from collections.abc import Callable

from ..delivery.unsettled import Finished
from ..queue import Queue, due_length

Tell = Callable[[int, int], None]
"""Hears how many are through, and of how many."""


def tally(queue: Queue, tell: Tell) -> Callable[[Finished, float], None]:
    """What tells of each message that has its verdicts; raises QueueError."""
    with queue.read() as tx:
        total = due_length(tx, time.time())
    through = 0

    def observe(finished: Finished, now: float) -> None:
        nonlocal through
        if finished.settlement is not None:
            through += 1
            # A file that was dropped meanwhile was not counted.
            tell(through, max(through, total))

    return observe
