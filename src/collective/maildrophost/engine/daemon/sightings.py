"""Which other daemons are gone, whatever the clock says."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from ..queue import Daemon
from ..system.identity import Fate, fate


@dataclass(frozen=True)
class _Sight:
    """A heartbeat, and for how many seconds nothing has followed it."""

    beat: float
    silent: float


class Sightings:
    """What one process has seen of the heartbeats of others.

    The time of day cannot tell that a daemon is silent: after a jump of the clock
    every lease seems to be over, or to last for days. So a silence is measured by a
    clock that never jumps. Only at the first look, when nothing has been measured yet,
    does the lease count, and not against a process that is known to run.

    A time in which the queue could not be used proves nothing: the others may not have
    been able to write, either.
    """

    def __init__(
        self, patience: float, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._patience = patience
        self._clock = clock
        self._looked = clock()
        self._blind = False
        self._sights: dict[str, _Sight] = {}

    def was_blind(self) -> None:
        """The queue could not be used: what was seen before counts only up to then."""
        self._blind = True

    def gone(self, daemons: Iterable[Daemon], now: float) -> list[Daemon]:
        """Those that have ended, or were silent for `patience` seconds."""
        passed = self._seconds_watched()
        before, self._sights = self._sights, {}
        return [
            daemon
            for daemon in daemons
            if self._is_gone(daemon, before.get(daemon.owner), passed, now)
        ]

    def _seconds_watched(self) -> float:
        """Since the last look."""
        before, self._looked = self._looked, self._clock()
        blind, self._blind = self._blind, False
        return 0.0 if blind else self._looked - before

    def _is_gone(
        self, daemon: Daemon, before: _Sight | None, passed: float, now: float
    ) -> bool:
        silent = 0.0
        if before is not None and before.beat == daemon.seen:
            silent = before.silent + passed
        self._sights[daemon.owner] = _Sight(daemon.seen, silent)
        known = fate(daemon.process)
        if known is Fate.ENDED:
            return True
        if known is Fate.UNKNOWN and before is None:
            return not daemon.alive(now)
        return silent >= self._patience
