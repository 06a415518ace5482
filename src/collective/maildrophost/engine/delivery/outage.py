"""What the log says about a queue that can't be written."""

from __future__ import annotations

import logging

from ..queue import QueueError

log = logging.getLogger("maildrop.delivery")

TRIES_PER_LINE = 60
"""Not a line for each try: the log may lie on the very disk that is full."""


class Outage:
    """From the first try that failed to the first that did not."""

    def __init__(self) -> None:
        self._failed = 0

    @property
    def lasts(self) -> bool:
        """Whether the last try has failed."""
        return self._failed > 0

    def goes_on(self, error: QueueError, waiting: int) -> None:
        """A try has failed; `waiting`: how many verdicts are kept meanwhile."""
        if self._failed % TRIES_PER_LINE == 0:
            log.error(
                "%s; nothing new is sent, %d verdicts wait to be written",
                error,
                waiting,
            )
        self._failed += 1

    def is_over(self) -> None:
        """A try has not failed."""
        if self._failed:
            log.info("the queue can be written again, after %d tries", self._failed)
        self._failed = 0
