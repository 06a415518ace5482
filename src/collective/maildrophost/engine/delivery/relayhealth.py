"""Whether the relay is worth trying: a pure state with its own back-off."""

from __future__ import annotations

from dataclasses import dataclass, replace

from ..queue import RelayPause

SHORTEST_PAUSE_SECONDS = 2.0
LONGEST_PAUSE_SECONDS = 300.0


@dataclass(frozen=True)
class RelayHealth:
    """A relay's health. Times are seconds since the epoch.

    `fault` says what is wrong, "" is good; only a relay at fault is paused. Meanwhile
    nothing is tried; when the pause is over one message probes it. `met`: whether the
    fault was met here, and not only by another daemon; `contradicted`: how many times
    others have found since then that the relay works, while no mail of this daemon's
    got through.
    """

    fault: str = ""
    since: float = 0.0
    failures: int = 0
    paused_until: float = 0.0
    met: bool = False
    contradicted: int = 0

    @property
    def good(self) -> bool:
        """Whether the last thing heard of the relay was good."""
        return not self.fault

    @property
    def probing(self) -> bool:
        """Whether what starts now is a probe of the relay, and so goes alone."""
        return not self.good or self.contradicted > 0

    def permits(self, probes: int, now: float) -> int | None:
        """How many messages may start now; None: as many as there are connections.

        `probes`: those under way. Other mail on its way does not count: it may hang for
        minutes.
        """
        if not self.probing:
            return None
        return 0 if self._paused(now) or probes else 1

    def _paused(self, now: float) -> bool:
        # A pause longer than the longest began before the clock was set back.
        return now < self.paused_until <= now + LONGEST_PAUSE_SECONDS

    def failed(self, fault: str, now: float, policy: PausePolicy) -> RelayHealth:
        """The relay was found at fault; failures while it is paused count once."""
        if self._paused(now):
            return self
        failures = self.failures + 1 if self.fault else max(1, self.contradicted)
        return RelayHealth(
            fault=fault,
            # One later than now is from before the clock was set back.
            since=min(self.since, now) if self.fault else now,
            failures=failures,
            paused_until=now + policy.seconds(failures),
            met=True,
            contradicted=self.contradicted,
        )

    def heeds(self, pause: RelayPause) -> RelayHealth:
        """Another daemon has met the fault."""
        return replace(
            self,
            fault=pause.fault,
            since=pause.since,
            failures=pause.failures,
            paused_until=pause.paused_until,
        )

    def waits_longer(self, now: float, seconds: float) -> RelayHealth:
        """The same with a later probe, but no later than after the longest pause."""
        latest = now + LONGEST_PAUSE_SECONDS
        return replace(self, paused_until=min(self.paused_until + seconds, latest))

    def freed(self, now: float) -> RelayHealth:
        """Another daemon has found that the relay works.

        It is tried at once, except by a daemon that cannot use what the others can: the
        mail that such a daemon takes would wait each time.
        """
        if not self.met:
            return RelayHealth(contradicted=self.contradicted)
        if self.contradicted and self._paused(now):
            return self
        return RelayHealth(contradicted=self.contradicted + 1)


@dataclass(frozen=True)
class PausePolicy:
    """How long a faulty relay is left alone, in seconds."""

    shortest: float = SHORTEST_PAUSE_SECONDS
    longest: float = LONGEST_PAUSE_SECONDS

    @classmethod
    def of(cls, retry_min: float, retry_max: float) -> PausePolicy:
        """Never longer than a single message waits, by these bounds in seconds."""
        shortest = min(SHORTEST_PAUSE_SECONDS, retry_min)
        return cls(shortest, min(LONGEST_PAUSE_SECONDS, retry_max))

    def seconds(self, failures: int) -> float:
        """Doubles with each failure in a row."""
        return min(self.longest, self.shortest * 2.0 ** min(failures - 1, 60))
