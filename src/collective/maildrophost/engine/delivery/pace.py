"""How fast mail may go out: a pure state for WAIT_INTERVAL and MAILDROP_RATE."""

from __future__ import annotations

import math
from dataclasses import dataclass

SECONDS_PER_MINUTE = 60.0


@dataclass(frozen=True)
class Pace:
    """At least `interval` seconds between two mails, over all connections.

    Smooth by construction: a rate of 60 a minute is one a second, never 60 at once.
    """

    interval: float
    last_start: float = -math.inf

    @classmethod
    def of(cls, wait_interval: float, rate: int) -> Pace:
        """From seconds between two mails and messages per minute (0: no limit)."""
        return cls(max(wait_interval, SECONDS_PER_MINUTE / rate if rate else 0.0))

    def permits(self, now: float) -> int | None:
        """How many messages may start now; None: any number."""
        if self.interval <= 0:
            return None
        return 0 if self._too_early(now) else 1

    def remaining(self, now: float) -> float:
        """Seconds until the next message may start."""
        return self.last_start + self.interval - now if self._too_early(now) else 0.0

    def started(self, now: float) -> Pace:
        """One message starts."""
        return Pace(self.interval, now) if self.interval > 0 else self

    def waits(self, now: float, seconds: float) -> Pace:
        """Another daemon was faster: the next message may start in so many seconds.

        More than the interval is due to a clock that was set back. It counts as the
        interval: with a last start in the future there would be no wait at all.
        """
        return Pace(self.interval, min(now, now + seconds - self.interval))

    def _too_early(self, now: float) -> bool:
        # A start in the future was before the clock was set back.
        return self.last_start <= now < self.last_start + self.interval
