"""When the queue is looked at next, unless something calls for it before."""

from __future__ import annotations


class NextLook:
    """Times are seconds since the epoch, `longest` is how long a wait may be."""

    def __init__(self, longest: float) -> None:
        self._longest = longest
        self._at = 0.0
        self.news = 0
        """Counts the calls to look at once: what changed while the queue was being read
        may have come too late to be seen."""

    def at_once(self) -> None:
        """Something has changed."""
        self._at = 0.0
        self.news += 1

    def at(self, moment: float, news: int) -> None:
        """Look at that moment, unless more calls came since `news` counted so many."""
        if news == self.news:
            self._at = moment

    def is_early(self, now: float) -> bool:
        """Whether it is too early to look."""
        # One in the far future was planned before the clock was set back.
        return now < self._at <= now + self._longest

    def seconds(self, now: float) -> float:
        """Seconds until the next look."""
        return self._at - now
