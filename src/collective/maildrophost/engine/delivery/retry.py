"""When to try again, and when to give up: pure decisions."""

from __future__ import annotations

from dataclasses import dataclass

from ..message import Lane

JITTER = {Lane.INTERACTIVE: 0.2, Lane.NORMAL: 0.2, Lane.BULK: 0.5}
"""Waits are lengthened by up to this part, so that mail deferred together does not come
back together. A newsletter is spread wider: it is the one that could come back as a
wave."""
CLOCK_IS_SET = 1_500_000_000.0
"""In 2017, before this software existed. A machine whose clock has no battery begins in
1970, and jumps to the true time once it has a network."""
_MOST_DOUBLINGS = 60
"""More would only overflow: by then any wait is the longest."""


@dataclass(frozen=True)
class RetryPolicy:
    """How long mail waits and lives; all in seconds."""

    shortest_wait: float
    longest_wait: float
    lifetime: float

    def wait(self, attempts: int, lane: Lane, chance: float) -> float:
        """Seconds until the next attempt after `attempts` of them.

        Doubles from the shortest to the longest wait; `chance` in [0, 1) is the jitter.
        """
        spread = 1.0 + JITTER[lane] * chance
        return min(self.longest_wait, self._unspread(attempts) * spread)

    def age(self, since: float, now: float, attempts: int) -> float:
        """For how many seconds a message has been undelivered, after `attempts`.

        A `since` far in the future is from before the clock was set back, one of before
        2017 from a clock that had not been set yet. Then only the waits between the
        attempts are known: the message is at least that old.
        """
        if since - now > self.longest_wait or since < CLOCK_IS_SET:
            return self._waited(attempts - 1)
        return max(0.0, now - since)

    def is_over(self, age: float) -> bool:
        """Whether a message of that age has lived long enough."""
        return age >= self.lifetime

    def _unspread(self, attempts: int) -> float:
        doublings = min(max(attempts - 1, 0), _MOST_DOUBLINGS)
        return min(self.longest_wait, self.shortest_wait * 2.0**doublings)

    def _waited(self, waits: int) -> float:
        doubling = sum(map(self._unspread, range(1, min(waits, _MOST_DOUBLINGS) + 1)))
        return doubling + max(0, waits - _MOST_DOUBLINGS) * self.longest_wait
