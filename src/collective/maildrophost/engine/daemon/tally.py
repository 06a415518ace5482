"""How many of the messages that were due are through, for a run that ends by itself."""

from __future__ import annotations

import time
from collections.abc import Callable

from ..delivery.finished import Finished
from ..queue import Queue, due_length

Tell = Callable[[int, int], None]
"""Hears how many are through, and of how many."""


def tally(queue: Queue, tell: Tell) -> Callable[[Finished, float], None]:
    """An observer that tells of each message that is through; raises QueueError."""
    with queue.read() as tx:
        total = due_length(tx, time.time())
    if not total:
        tell(0, 0)  # Else nothing would ever tell that all of it is done.
    through = 0

    def observe(finished: Finished, now: float) -> None:
        nonlocal through
        if _is_through(finished):
            through += 1
            # A file that was dropped meanwhile was not counted.
            tell(through, max(through, total))

    return observe


def _is_through(finished: Finished) -> bool:
    """Whether an attempt at a message needs no further SMTP transaction."""
    claim, settlement = finished.claim, finished.settlement
    if settlement is None or claim.more:
        return False
    # There may be verdicts of others: who was deferred before is given up with them.
    judged = {position for position, _ in settlement.verdicts}
    return all(each.position in judged for each in claim.recipients)
