"""How much several daemons deliver from one PostgreSQL: `make bench SHARED=1`."""

from __future__ import annotations

import subprocess
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from .contestants.maildrophost import PROGRAM, configure, environment, fill
from .databases import postgresql
from .delivery import CONNECTIONS, LATE_SECONDS
from .failure import BenchmarkFailed
from .processtree import cpu_seconds
from .programs import running
from .sink import OwnSink, own_sink

DAEMONS = (1, 2, 4)
STALL_SECONDS = 120.0
WARM_UP = 0.1
"""The part of the messages that is delivered before anything is measured."""


@dataclass(frozen=True)
class Setting:
    """A sink that answers `late` seconds late, and how many messages it gets."""

    name: str
    late: float
    messages: int


SETTINGS = (
    Setting("loopback", 0.0, 6000),
    Setting("20 ms late", LATE_SECONDS, 3000),
)


@dataclass(frozen=True)
class Together:
    """What so many `daemons` delivered a second, and their CPU time for a message."""

    setting: str
    daemons: int
    rate: float
    cpu_milliseconds: float


def measure_together() -> Iterator[Together]:
    """Each setting with each number of daemons."""
    for setting in SETTINGS:
        for daemons in DAEMONS:
            yield _measure(setting, daemons)


def report(found: Sequence[Together]) -> str:
    """A line each, against one daemon."""
    alone = {each.setting: each.rate for each in found if each.daemons == 1}
    lines = [
        f"one PostgreSQL, durable; {CONNECTIONS} connections a daemon; sink, server "
        "and daemons share this machine",
        f"{'sink':14}{'daemons':>8}{'msg/s':>9}{'of one':>8}{'CPU ms/msg':>12}",
    ]
    lines += [
        f"{each.setting:14}{each.daemons:8}{each.rate:9.0f}"
        f"{each.rate / alone[each.setting]:7.2f}x{each.cpu_milliseconds:12.2f}"
        for each in found
    ]
    return "\n".join(lines)


def _measure(setting: Setting, daemons: int) -> Together:
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        url = stack.enter_context(postgresql())
        sink = stack.enter_context(own_sink(folder, setting.late))
        paths = [
            _machine(folder / f"machine{number}", url, sink.port)
            for number in range(daemons)
        ]
        fill(paths[0], setting.messages)
        processes = [
            stack.enter_context(
                running((*PROGRAM, "--config", str(path), "run"), environment())
            )
            for path in paths
        ]
        first = int(setting.messages * WARM_UP)
        _wait(sink, first)
        began, cpu_before = time.perf_counter(), _cpu_seconds(processes)
        _wait(sink, setting.messages)
        seconds = time.perf_counter() - began
        taken = _cpu_seconds(processes) - cpu_before
    count = setting.messages - first
    return Together(setting.name, daemons, count / seconds, taken * 1000 / count)


def _cpu_seconds(processes: Sequence[subprocess.Popen[bytes]]) -> float:
    return sum(cpu_seconds(each.pid) for each in processes)


def _machine(folder: Path, url: str, port: int) -> Path:
    folder.mkdir()
    path = configure(folder, port, CONNECTIONS)
    with path.open("a") as file:
        file.write(f'MAILDROP_QUEUE="{url}"\n')
    return path


def _wait(sink: OwnSink, count: int) -> None:
    deadline = time.monotonic() + STALL_SECONDS
    while sink.messages() < count:
        if time.monotonic() > deadline:
            raise BenchmarkFailed("the daemons deliver nothing")
        time.sleep(0.005)


def main() -> None:
    """Measure, and print the report."""
    print(report(list(measure_together())), flush=True)
