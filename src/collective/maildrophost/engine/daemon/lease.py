"""How long a daemon can be sure that nobody has taken over what it has claimed."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable


class Lease:
    """Runs for `seconds` after the beginning of each renewal, on a clock that nobody
    can set; then `doubted` is called, and `certain` when it is renewed after that.
    """

    def __init__(
        self, seconds: float, doubted: Callable[[], None], certain: Callable[[], None]
    ) -> None:
        self._seconds = seconds
        self._doubted = doubted
        self._certain = certain
        self._loop = asyncio.get_running_loop()
        self._in_doubt = False
        self._timer: asyncio.TimerHandle | None = None

    def renewed(self, began: float) -> None:
        """The queue has it; `began` is when the loop's clock showed the first try."""
        self.end()
        if self._seconds < math.inf:
            self._timer = self._loop.call_at(began + self._seconds, self._run_out)
        if self._in_doubt:
            self._in_doubt = False
            self._certain()

    def end(self) -> None:
        """Nobody is told any more."""
        if self._timer is not None:
            self._timer.cancel()

    def _run_out(self) -> None:
        self._in_doubt = True
        self._doubted()
