"""A relay that takes fewer connections at once than MAILDROP_CONCURRENCY."""

from __future__ import annotations

import logging
import math
from collections.abc import Callable

log = logging.getLogger("maildrop.delivery")

FULL_SECONDS = 2.0
"""How long no further connection is tried at a relay that lets no more in: those in use
may all hang, so it is not for ever. It doubles with each one that is refused ..."""
LONGEST_FULL_SECONDS = 60.0
"""... up to this."""
TELL_SECONDS = 3600.0
"""Between two lines of the log that say so."""


class ConcurrencyLimit:
    """How many connections may be used at a relay that has refused some.

    Once it has refused one beside others, more are tried one by one. `open_now` is how
    many are open at the moment, in use or not.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._refusal = ""
        self._pause = FULL_SECONDS
        self._until = self._told = -math.inf

    @property
    def seconds(self) -> float:
        """For so long no further connection is tried."""
        return max(0.0, self._until - self._clock())

    def refused(self, refusal: str, open_now: int) -> None:
        """The relay has let no further connection in, and has said so."""
        if not self.seconds:
            self._until = self._clock() + self._pause
            self._pause = min(2 * self._pause, LONGEST_FULL_SECONDS)
        self._refusal = refusal
        self._tell(open_now)

    def let_in(self, open_now: int) -> None:
        """The relay has let another connection in."""
        self._pause = FULL_SECONDS
        self._tell(open_now)

    def free(self, open_now: int, in_flight: int, is_closing: bool) -> int | None:
        """How many more messages may start; None: as many as there are workers.

        `in_flight`: those that have a connection, or wait for one. `is_closing`:
        whether the relay may still count one that is being closed.
        """
        # Even with none open, the relay may count one that still waits to be let in.
        may_be_full = open_now or (self.seconds and (in_flight or is_closing))
        if not (self._refusal and may_be_full):
            return None
        more = 0 if self.seconds else 1
        return max(0, open_now + more - in_flight)

    def most(self, concurrency: int, open_now: int) -> int:
        """How many connections the lanes share."""
        # After the pause each of them may try one more.
        return max(1, min(concurrency, open_now)) if self.seconds else concurrency

    def _tell(self, open_now: int) -> None:
        # If the relay has let none in, their number is not what is wrong.
        if self.seconds and open_now and self._clock() - self._told >= TELL_SECONDS:
            self._told = self._clock()
            log.warning(
                "%s; mail goes through the connections that it has let in, which are "
                "fewer than MAILDROP_CONCURRENCY",
                self._refusal,
            )
