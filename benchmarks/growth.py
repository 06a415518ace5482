"""What a message costs in a long queue, beside what it costs in a short one.

Run with `make bench GROWTH=1`. The daemon is started on the queue, delivers, and is
stopped, several times; only the time from its first message to the last counted is
measured. The messages are small, so that the queue fills within minutes.
"""

from __future__ import annotations

import signal
import statistics
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from .contestants.maildrophost import PROGRAM, configure, environment, fill
from .delivery import CONNECTIONS
from .failure import BenchmarkFailed
from .processtree import cpu_seconds
from .programs import running
from .sink import OwnSink, own_sink
from .table import MEGABYTE

SHORT, LONG = 1_000, 1_000_000
DELIVERED = 1_000
"""Messages in each round: all of the short queue, the first of the long one."""
ROUNDS = 5
SIZE = 400
"""Characters of a message."""
ALLOWED = 1.2
"""A message may cost at most this many times as much in the long queue."""
SECONDS = 120.0
STOP_SECONDS = 60.0


@dataclass(frozen=True)
class Cost:
    """What one message costs."""

    seconds: float
    cpu_seconds: float


@dataclass(frozen=True)
class Growth:
    """Medians for both queues."""

    short: Cost
    long: Cost
    fill_rate: float
    """Messages a second that were queued for the long one."""
    file_bytes: int

    @property
    def ratio(self) -> float:
        return self.long.seconds / self.short.seconds

    @property
    def cpu_ratio(self) -> float:
        return self.long.cpu_seconds / self.short.cpu_seconds


def measure_growth(
    short: int = SHORT,
    long: int = LONG,
    delivered: int = DELIVERED,
    rounds: int = ROUNDS,
) -> Growth:
    """Fill the long queue once and the short one for each round; deliver in turn."""
    shorts, longs = [], []
    with tempfile.TemporaryDirectory(prefix="maildrop-bench-") as name:
        folder = Path(name)
        with own_sink(folder) as sink:
            long_path = _queue(folder / "long", sink.port)
            start = time.perf_counter()
            fill(long_path, long, SIZE)
            fill_rate = long / (time.perf_counter() - start)
            for number in range(rounds):
                short_path = _queue(folder / f"short-{number}", sink.port)
                fill(short_path, short, SIZE)
                shorts.append(_deliver(short_path, sink, delivered))
                longs.append(_deliver(long_path, sink, delivered))
        size = (folder / "long" / "home" / "queue.db").stat().st_size
    return Growth(_median(shorts), _median(longs), fill_rate, size)


def report(growth: Growth) -> str:
    """What was measured, as text."""
    worse = max(growth.ratio, growth.cpu_ratio)
    verdict = "ok" if worse <= ALLOWED else "SHORT"
    return "\n".join(
        [
            f"{'a message costs':30}{'ms':>8}{'CPU ms':>8}",
            _line(f"in a queue of {SHORT:,}", growth.short),
            _line(f"in a queue of {LONG:,}", growth.long),
            f"{'long to short':29}{growth.ratio:8.2f}x{growth.cpu_ratio:7.2f}x"
            f"   at most {ALLOWED:.2f}x: {verdict}",
            f"the long queue was filled with {growth.fill_rate:.0f} messages a second; "
            f"its file has {growth.file_bytes / MEGABYTE:.0f} MB",
        ]
    )


def _line(what: str, cost: Cost) -> str:
    return f"{what:30}{cost.seconds * 1000:8.3f}{cost.cpu_seconds * 1000:8.3f}"


def _queue(folder: Path, port: int) -> Path:
    folder.mkdir()
    return configure(folder, port, CONNECTIONS)


def _deliver(path: Path, sink: OwnSink, count: int) -> Cost:
    command = (*PROGRAM, "--config", str(path), "run")
    before = sink.messages()
    with running(command, environment()) as process:
        _wait(sink, before + 1)
        start, cpu = time.perf_counter(), cpu_seconds(process.pid)
        _wait(sink, before + count)
        seconds = time.perf_counter() - start
        cpu = cpu_seconds(process.pid) - cpu
        # What is in flight now is still delivered, but does not count.
        process.send_signal(signal.SIGTERM)
        process.wait(STOP_SECONDS)
    return Cost(seconds / count, cpu / count)


def _wait(sink: OwnSink, messages: int) -> None:
    deadline = time.monotonic() + SECONDS
    while sink.messages() < messages:
        if time.monotonic() > deadline:
            raise BenchmarkFailed("the daemon delivers nothing")
        time.sleep(0.002)


def _median(costs: list[Cost]) -> Cost:
    return Cost(
        statistics.median(cost.seconds for cost in costs),
        statistics.median(cost.cpu_seconds for cost in costs),
    )
