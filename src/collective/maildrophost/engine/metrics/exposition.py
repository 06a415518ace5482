"""The figures in the format of Prometheus (the extra `metrics`)."""

# Rules of this file:
# - The library is imported only once metrics are wanted: no other daemon needs it.

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from ..delivery.finished import Finished
from ..message import Lane
from ..verdict import Outcome
from .gauges import Gauge

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
PREFIX = "maildrop_"
SECONDS = (
    *(0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30),
    *(60, 300, 900, 3600, 14400, 86400),
)
"""The buckets of the histogram: from immediate delivery to a day of retries."""


class Exposition:
    """What one daemon exposes: its own counters, and the queue's gauges."""

    def __init__(self, gauges: Callable[[], Iterator[Gauge]]) -> None:
        from prometheus_client import (
            CollectorRegistry,
            Counter,
            Histogram,
            ProcessCollector,
        )

        self._gauges = gauges
        self._registry = CollectorRegistry()
        self._attempts = Counter(
            f"{PREFIX}attempts",
            "Verdicts of this daemon's attempts, one for each recipient.",
            ["outcome", "relay"],
            registry=self._registry,
        )
        self._seconds = Histogram(
            f"{PREFIX}delivery_seconds",
            "From the commit of a mail (or its scheduled time) until a relay "
            "accepted it, for each recipient.",
            ["lane"],
            buckets=SECONDS,
            registry=self._registry,
        )
        for lane in Lane:
            self._seconds.labels(lane.label)
        ProcessCollector(registry=self._registry)
        self._registry.register(self)  # type: ignore[arg-type, unused-ignore]

    def observe(self, finished: Finished, now: float) -> None:
        """Count what was settled at the time `now`."""
        settlement, claim = finished.settlement, finished.claim
        if settlement is None:
            return
        for _, verdict in settlement.verdicts:
            self._attempts.labels(verdict.outcome.value, settlement.relay).inc()
            if verdict.outcome is Outcome.SENT:
                seconds = max(0.0, now - claim.since)
                self._seconds.labels(claim.lane.label).observe(seconds)

    def text(self) -> bytes:
        """All of it, as Prometheus reads it."""
        from prometheus_client import generate_latest

        written: bytes = generate_latest(self._registry)
        return written

    def describe(self) -> tuple[Any, ...]:
        """Nothing, so that the queue is not read when this is registered."""
        return ()

    def collect(self) -> Iterator[Any]:
        """The gauges at this moment; called by the registry."""
        from prometheus_client.core import GaugeMetricFamily

        for gauge in self._gauges():
            family = GaugeMetricFamily(
                PREFIX + gauge.name, gauge.meaning, labels=gauge.labels
            )
            for labels, value in gauge.values.items():
                family.add_metric(labels, value)
            yield family
