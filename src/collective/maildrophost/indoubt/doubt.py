"""What is remembered of one batch in doubt, from look to look."""

from __future__ import annotations

from collective.maildrophost.engine.system.identity import Fate
from collective.maildrophost.indoubt.endings import Ending

SETTLE_SECONDS = 10.0
"""A ZEO or database server may commit what a process asked for after the process has
died: a log without the transaction is believed only this long after the death was seen.
A process has just as long to release by itself what it has committed."""
ASK_AGAIN_SECONDS = 3600.0
"""The longest wait until a log, which may be long, is read again for the same batch."""


class Doubt:
    """What was found out so far; times are seconds of the monotonic clock."""

    def __init__(self) -> None:
        self.told: Ending | None = None
        """What the logs told last; None if they were not asked yet."""
        self.left_to_a_person = False
        self._over_since: float | None = None
        self._asked_first = self._asked_last = 0.0
        self._told_for_good = False
        self._committed_since: float | None = None

    def is_settled(self, fate: Fate, now: float) -> bool:
        """Whether the logs have by now all that there will be of the transaction."""
        # A process that may still run may still ask for a commit.
        if fate is Fate.UNKNOWN:
            return False
        if self._over_since is None:
            self._over_since = now
        return now - self._over_since >= SETTLE_SECONDS

    def asks(self, settled: bool, now: float) -> bool:
        """Whether the logs are to be asked now."""
        if self.told is Ending.COMMITTED:
            return False
        if self.told is None or (settled and not self._told_for_good):
            return True
        waited = now - self._asked_last
        if not settled:
            # The transaction may still come: soon at first, then more and more rarely.
            return waited >= min(
                self._asked_last - self._asked_first, ASK_AGAIN_SECONDS
            )
        # A log that was in trouble may be in order again.
        return self.told is Ending.UNKNOWN and waited >= ASK_AGAIN_SECONDS

    def hear(self, told: Ending, settled: bool, now: float) -> None:
        """Remember what the logs have told."""
        if self.told is None:
            self._asked_first = now
        if told is Ending.COMMITTED:
            self._committed_since = now
        self.told, self._told_for_good, self._asked_last = told, settled, now

    def had_its_time(self, now: float) -> bool:
        """Whether its process, having committed, would have released it by now."""
        since = self._committed_since
        return since is not None and now - since >= SETTLE_SECONDS
