"""When to try again, and when to give up: pure decisions."""

from __future__ import annotations

from dataclasses import dataclass

JITTER = 0.2
"""Waits are spread over this part of their length, so that mail deferred together does
not come back together."""


@dataclass(frozen=True)
class RetryPolicy:
    """How long mail waits and lives; all in seconds."""

    shortest_wait: float
    longest_wait: float
    lifetime: float

    def wait(self, attempts: int, chance: float) -> float:
        """Seconds until the next attempt after `attempts` of them.

        Doubles from the shortest to the longest wait; `chance` in [0, 1) is the jitter.
        """
        # An exponent of more than 60 would only overflow: any wait is longest by then.
        doubled = self.shortest_wait * 2.0 ** min(max(attempts - 1, 0), 60)
        return min(self.longest_wait, doubled * (1.0 + JITTER * chance))

    def is_over(self, since: float, now: float) -> bool:
        """Whether a message that is undelivered since then has lived long enough."""
        return now - since >= self.lifetime
