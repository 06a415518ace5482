"""What a daemon uses while it runs: flat, or growing?"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median

from engine.processes import children

from benchmarks.processtree import memory_bytes

MEGABYTE = 1_000_000
WARM_UP = 0.1
"""The first of the samples, this share of them, show only how caches fill."""


@dataclass(frozen=True)
class Sample:
    """Of all processes of one daemon at one moment."""

    memory: int
    files: int

    @classmethod
    def of(cls, pid: int) -> Sample:
        processes = [pid, *children(pid)]
        files = sum(len(list(Path(f"/proc/{each}/fd").iterdir())) for each in processes)
        return cls(memory_bytes(pid), files)


@dataclass
class Gauges:
    """Samples of one daemon, at most one a second."""

    samples: list[Sample] = field(default_factory=list)
    _next: float = 0.0

    def look(self, pid: int) -> None:
        if time.monotonic() >= self._next:
            self._next = time.monotonic() + 1.0
            self.samples.append(Sample.of(pid))

    def thirds(self, value: Callable[[Sample], int]) -> tuple[float, float]:
        """The medians of the first and the last third."""
        values = [value(each) for each in self.samples]
        values = values[int(len(values) * WARM_UP) :]
        third = max(1, len(values) // 3)
        return median(values[:third]), median(values[-third:])
