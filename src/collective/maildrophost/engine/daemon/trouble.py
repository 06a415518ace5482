"""Trouble with the queue, of which the log hears when it begins."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager

from ..queue import QueueError

log = logging.getLogger("maildrop.daemon")


class Trouble:
    """Met by a part of the daemon that tries again; `meanwhile` is what it means."""

    def __init__(self, meanwhile: str) -> None:
        self._meanwhile = meanwhile
        self._lasts = False

    @contextmanager
    def told_once(self) -> Iterator[None]:
        """End the block, and nothing else, with a QueueError; log the first of many."""
        try:
            yield
            self._lasts = False
        except QueueError as error:
            if not self._lasts:
                log.error("%s; %s", error, self._meanwhile)
            self._lasts = True
