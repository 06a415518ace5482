"""How fast mail may go out: a pure state for WAIT_INTERVAL with MAILDROP_RATE."""

from __future__ import annotations

from dataclasses import dataclass

SECONDS_PER_MINUTE = 60.0


@dataclass(frozen=True)
class Pace:
    """At least `interval` seconds between two mails, over all connections.

    Smooth by construction: a rate of 60 a minute is one a second, never 60 at once.
    """

    interval: float
    next_start: float = 0.0

    @classmethod
    def of(cls, wait_interval: float, rate: int) -> Pace:
        """From seconds between two mails and messages per minute (0: no limit)."""
        return cls(max(wait_interval, SECONDS_PER_MINUTE / rate if rate else 0.0))

    def permits(self, now: float) -> int | None:
        """How many messages may start now; None: any number."""
        if self.interval <= 0:
            return None
        # The clock may have been set back: never wait longer than one interval.
        return 1 if now >= self.next_start or self.remaining(now) > self.interval else 0

    def remaining(self, now: float) -> float:
        """Seconds until the next message may start."""
        return max(0.0, self.next_start - now)

    def started(self, now: float) -> Pace:
        """One message starts."""
        return Pace(self.interval, now + self.interval) if self.interval > 0 else self
