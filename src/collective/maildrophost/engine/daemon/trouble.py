"""Trouble with the queue, of which the log tells when it begins."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager

from ..queue import QueueError

log = logging.getLogger("maildrop.daemon")


class Trouble:
    """Met by a part of the daemon that tries again; `meanwhile` tells its effect."""

    def __init__(self, meanwhile: str) -> None:
        self._meanwhile = meanwhile
        self._lasts = False

    @contextmanager
    def told_once(self) -> Iterator[None]:
        """A QueueError ends the block only; of several in a row the first is logged."""
        try:
            yield
            self._lasts = False
        except QueueError as error:
            if not self._lasts:
                log.error("%s; %s", error, self._meanwhile)
            self._lasts = True
