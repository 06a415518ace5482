"""Which claims this daemon knows of; the queue may have more under its name."""

# How it comes to that:
# - The answer to a commit was lost. A new connection does not show what became of it:
#   until a standby has confirmed a transaction nobody sees what it has written.
# - A standby took over which had heard of a claim, but not of its verdict.

from __future__ import annotations

import time
from collections.abc import Callable, Iterable

from ..queue import MessageKey

COMPARE_SECONDS = 60.0
"""Between two comparisons with what the queue has, when nothing has gone wrong."""


class HandedOut:
    """The messages that connections have, and when that was compared with the queue.

    Those whose verdicts were lost are among them, since they may have been sent.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._keys: set[MessageKey] = set()
        self._may_be_more = False
        self._compared = clock()

    def add(self, key: MessageKey) -> None:
        """A connection gets this message."""
        self._keys.add(key)

    def ended(self, keys: Iterable[MessageKey]) -> None:
        """What became of these is written."""
        self._keys.difference_update(keys)

    def may_be_more(self) -> None:
        """Claims may have been committed that this daemon does not know of."""
        self._may_be_more = True

    def to_compare(self) -> tuple[MessageKey, ...] | None:
        """All of them, when it is time to compare them; None: it is not."""
        late = self._clock() - self._compared >= COMPARE_SECONDS
        return tuple(self._keys) if self._may_be_more or late else None

    def compared(self) -> None:
        """The queue has given back all others."""
        self._may_be_more = False
        self._compared = self._clock()
