"""A clock that goes on when a test says so."""

from __future__ import annotations


class HandClock:
    """Called for the time, as the clocks of the daemon are."""

    now = 1000.0

    def __call__(self) -> float:
        return self.now
