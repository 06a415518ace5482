"""When the queue is looked at again, where nobody calls before that."""

from __future__ import annotations


class NextLook:
    """Times are seconds since the epoch, `longest` is how long a wait may be."""

    def __init__(self, longest: float) -> None:
        self._longest = longest
        self._at = 0.0
        self.news = 0
        """Counts the calls to look at once: what came while the queue was read may have
        been too late to be seen."""

    def at_once(self) -> None:
        """Something has changed."""
        self._at = 0.0
        self.news += 1

    def at(self, moment: float, news: int) -> None:
        """At that moment, unless there was more than these `news` since."""
        if news == self.news:
            self._at = moment

    def is_early(self, now: float) -> bool:
        """Whether it is not the time for it yet."""
        # A look in the far future is left of a clock that was set back.
        return now < self._at <= now + self._longest

    def seconds(self, now: float) -> float:
        """Until it is the time."""
        return self._at - now
