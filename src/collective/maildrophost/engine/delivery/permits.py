"""How many messages may start, by the relay's health, its limit and the pace."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import partial

from ..queue import end_probe
from .books import Note
from .pace import Pace
from .pool import Pool
from .relayhealth import RelayHealth
from .terms import Objection, Terms


@dataclass(frozen=True)
class _Probe:
    """The health that it was to find out about, and until when others wait for that."""

    health: RelayHealth
    until: float | None


class Permits:
    """Holds the current health and pace; asked before every claim."""

    def __init__(self, pace: Pace, relay: str, pool: Pool) -> None:
        self.health = RelayHealth()
        self._pace = pace
        self._relay = relay
        self._pool = pool
        self._probes: dict[int, _Probe] = {}

    @property
    def terms(self) -> Terms:
        """What has to be asked of the other daemons before a claim."""
        # A fault that was found before this start is put to the test at once.
        probing = self.health.paused_until > 0
        return Terms(self._relay, self._pace.interval, probing)

    def heed(self, objection: Objection, now: float) -> None:
        """Another daemon was faster, or knows better."""
        if objection.good:
            self.health = self.health.freed(now)
        elif objection.pause is not None:
            self.health = self.health.heeds(objection.pause)
        else:
            self._pace = self._pace.waits(now, objection.wait)

    def count(self, now: float, in_flight: int) -> int | None:
        """How many messages may start now; None: as many as there are workers."""
        if not self.health.probing:
            self._probes.clear()  # the next fault has probes of its own
        limits = [
            self.health.permits(len(self._probes), now),
            self._pace.permits(now),
            self._pool.free(in_flight),
        ]
        return min((limit for limit in limits if limit is not None), default=None)

    def most(self, concurrency: int) -> int:
        """How many connections the lanes share."""
        return self._pool.most(concurrency)

    def wait_seconds(self, now: float, in_flight: int) -> float:
        """Seconds until the count can be more than 0."""
        pause = self.health.paused_until - now
        full = self._pool.full_seconds if self._pool.free(in_flight) == 0 else 0.0
        return max(pause, self._pace.remaining(now), full)

    def started(self, now: float, id: int, until: float | None) -> None:
        """A message was handed out; others wait `until` then for what it finds out."""
        self._pace = self._pace.started(now)
        if self.health.probing:
            self._probes[id] = _Probe(self.health, until)

    def ended(self, ids: Iterable[int]) -> None:
        """These messages are not under way any more."""
        for id in ids:
            self._probes.pop(id, None)

    def probes_in_vain(self, ids: Iterable[int], now: float) -> list[Note]:
        """What is to be written as these messages end, where they probed in vain.

        They got a verdict from this program itself, or one of the relay's that is about
        that message only: the next probe may well find out.
        """
        probes = [self._probes[id] for id in ids if id in self._probes]
        return [
            self._end_of_probe(each.until, now)
            for each in probes
            if each.until is not None and each.health == self.health
        ]

    def unused(self, terms: Terms, asked: float, now: float) -> list[Note]:
        """What is to be written where `terms` may have been met, but nothing starts."""
        until = terms.probe_ends(asked)
        return [] if until is None else [self._end_of_probe(until, now)]

    def _end_of_probe(self, until: float, now: float) -> Note:
        return partial(end_probe, name=self._relay, until=until, now=now)
