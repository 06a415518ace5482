"""Which other daemons are gone, whatever the clock says."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from ..identity import Fate, fate
from ..queue import Daemon


@dataclass(frozen=True)
class _Sight:
    """A heartbeat, and when (on the watcher's own clock) it was first seen."""

    beat: float
    first_seen: float


class Sightings:
    """What one process has seen of the heartbeats of others.

    The time of day cannot tell that a daemon is silent: after a jump of the clock
    every lease seems to be over, or to last for days. So a silence is measured by a
    clock that never jumps. Only at the first look, when nothing was measured yet, the
    lease counts, and not against a process that is known to run.
    """

    def __init__(
        self, patience: float, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._patience = patience
        self._clock = clock
        self._sights: dict[str, _Sight] = {}

    def gone(self, daemons: Iterable[Daemon], now: float) -> list[Daemon]:
        """Those that have ended, or were silent for `patience` seconds."""
        before, self._sights = self._sights, {}
        return [
            daemon
            for daemon in daemons
            if self._is_gone(daemon, before.get(daemon.owner), now)
        ]

    def _is_gone(self, daemon: Daemon, sight: _Sight | None, now: float) -> bool:
        first_look = sight is None
        if sight is None or sight.beat != daemon.seen:
            sight = _Sight(daemon.seen, self._clock())
        self._sights[daemon.owner] = sight
        known = fate(daemon.process)
        if known is Fate.ENDED:
            return True
        if known is Fate.UNKNOWN and first_look:
            return not daemon.alive(now)
        return self._clock() - sight.first_seen >= self._patience
