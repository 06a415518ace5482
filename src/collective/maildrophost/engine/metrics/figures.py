"""The figures of the queue, read in a way that costs next to nothing."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from ..queue import (
    Health,
    Queue,
    Transaction,
    Vitals,
    alive_and_lost,
    health_of,
)
from ..queue.health import in_doubt
from ..queue.sqlite.housekeeping import Room, room
from ..queue.stats import Depth, depth, vitals

COUNT_SECONDS = 10.0
"""At least this long between two counts of the messages in the queue."""
COUNT_PART = 0.01
"""At most this part of the time is spent on counting: to count a million messages takes
a tenth of a second (measured), so that is done every ten seconds."""


@dataclass(frozen=True)
class Figures:
    """The queue at one moment."""

    depth: Depth
    vitals: Vitals
    health: Health
    room: Room | None


@dataclass
class _Count:
    """The last count, and until when (by the reader's clock) it is good enough."""

    depth: Depth = field(default_factory=dict)
    in_doubt: int = 0
    good_until: float = 0.0


class Reader:
    """Reads the figures of one queue; may be asked by several threads."""

    def __init__(
        self, queue: Queue, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._queue = queue
        self._clock = clock
        self._counting = threading.Lock()
        self._count = _Count()

    def look(self, now: float) -> Figures:
        """The figures at the time `now`; raises QueueError.

        All but the counts are of this moment.
        """
        with self._queue.read() as tx:
            count = self._counted(tx, now)
            alive, lost = alive_and_lost(tx, now)
            found = vitals(tx, now, count.depth, alive)
        health = health_of(found, lost, count.in_doubt)
        return Figures(count.depth, found, health, room(self._queue))

    def _counted(self, tx: Transaction, now: float) -> _Count:
        with self._counting:
            began = self._clock()
            if began >= self._count.good_until:
                counted, doubtful = depth(tx), in_doubt(tx, now)
                ended = self._clock()
                pause = max(COUNT_SECONDS, (ended - began) / COUNT_PART)
                self._count = _Count(counted, doubtful, ended + pause)
            return self._count
