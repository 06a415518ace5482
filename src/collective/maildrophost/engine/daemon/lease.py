"""How long a daemon can be sure that nobody has taken over what it has claimed."""

# Rules of this file:
# - Time during which the machine sleeps counts, since it goes on for the others. The
#   event loop's clock stands still meanwhile, and so do its timers: hence the looks.

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import Callable

LOOK_SECONDS = 1.0
"""Between two looks, at most: so soon after a sleep an ended lease is noticed."""
_CLOCK = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)


def sleepless() -> float:
    """Seconds on a clock that nobody can set, and that no sleep of the machine stops.

    Linux has one; elsewhere it may stop in a sleep. A virtual machine that its host
    stops does not hear of that.
    """
    return time.clock_gettime(_CLOCK)


class Lease:
    """Runs for `seconds` from the beginning of each renewal, on `clock`.

    When it runs out `doubted` is called, and `certain` once it is renewed after that.
    """

    def __init__(
        self,
        seconds: float,
        doubted: Callable[[], None],
        certain: Callable[[], None],
        clock: Callable[[], float] = sleepless,
    ) -> None:
        self._seconds = seconds
        self._doubted = doubted
        self._certain = certain
        self._clock = clock
        self._loop = asyncio.get_running_loop()
        self._in_doubt = False
        self._until = math.inf
        self._timer: asyncio.TimerHandle | None = None

    def now(self) -> float:
        """The time, to be noted when a renewal begins."""
        return self._clock()

    def renewed(self, began: float) -> None:
        """The queue has it; `began` is what `now` was before that was tried."""
        self.end()
        self._until = began + self._seconds
        if self._until < math.inf:
            self._look_again()
        if self._in_doubt:
            self._in_doubt = False
            self._certain()

    def end(self) -> None:
        """Nobody is told any more."""
        if self._timer is not None:
            self._timer.cancel()

    def _look_again(self) -> None:
        seconds = min(self._until - self._clock(), LOOK_SECONDS)
        self._timer = self._loop.call_later(max(0.0, seconds), self._look)

    def _look(self) -> None:
        if self._clock() < self._until:
            self._look_again()
        else:
            self._in_doubt = True
            self._doubted()
