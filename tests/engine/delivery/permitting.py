"""What may start at a relay that lets in as many connections as come."""

from __future__ import annotations

from collective.maildrophost.engine.delivery.pace import Pace
from collective.maildrophost.engine.delivery.permits import Permits

AT_ANY_PACE = Pace.of(0.0, 0)


class AnyNumber:
    """A pool that was never refused a connection."""

    full_seconds = 0.0

    def free(self, in_flight: int) -> None:
        """As many as come."""

    def most(self, concurrency: int) -> int:
        return concurrency


def permits(pace: Pace = AT_ANY_PACE, relay: str = "relay:25") -> Permits:
    """Limited by this pace, and by what a test says of the relay's health."""
    return Permits(pace, relay, AnyNumber())
