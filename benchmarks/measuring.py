"""One measurement: a contestant that delivers its queue to a sink."""

from __future__ import annotations

import os
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

from .contestants.contestant import Contestant, Job
from .failure import BenchmarkFailed
from .processtree import cpu_seconds, memory_bytes
from .programs import running
from .sink import Sink

POLL_SECONDS = 0.005
MEMORY_SECONDS = 0.5
"""Between two looks at the memory."""
STALL_SECONDS = 30.0
BLIND_SECONDS = 0.5
"""After longer than this between two looks, the times of messages are guesses."""
FIRST_BYTES = 1024
"""When so much has come, the first messages are under way."""


@dataclass(frozen=True)
class Figures:
    """What one delivery took, from the first message to the last."""

    messages: int
    seconds: float
    cpu_seconds: float
    """Of the contestant, not of the sink."""
    memory_bytes: int

    @property
    def rate(self) -> float:
        """Messages per second."""
        return self.messages / self.seconds

    @property
    def cpu_per_thousand(self) -> float:
        """CPU seconds for a thousand messages."""
        return self.cpu_seconds * 1000 / self.messages


class Disturbed(BenchmarkFailed):
    """The machine was so busy that the measuring itself was held up."""


def measure(contestant: Contestant, folder: Path, sink: Sink, count: int) -> Figures:
    """Let the contestant deliver `count` messages; its start is not measured.

    Raises BenchmarkFailed when it stalls, or when a message was not delivered;
    Disturbed when it would be worth another try.
    """
    with (
        contestant.job(folder, sink.port, count) as job,
        running(job.command, job.environment) as process,
    ):
        figures = _watch(job, process, sink, count)
        left = job.left()
    if left:
        raise BenchmarkFailed(f"{contestant.name}: {left} messages were not delivered")
    arrived = sink.messages()
    if arrived is not None and arrived != count:
        raise BenchmarkFailed(f"{contestant.name}: {arrived} of {count} messages came")
    return figures


def _watch(
    job: Job, process: subprocess.Popen[bytes], sink: Sink, count: int
) -> Figures:
    root = job.daemon.root if job.daemon else process.pid
    before = received = sink.received()
    first = last = seen = time.perf_counter()
    blind = 0.0
    cpu_before = cpu_seconds(root)
    memory, looked = 0, 0.0
    while True:
        # Asked before the sink, so that nothing comes after the last look.
        over = job.daemon.idle() if job.daemon else _ended(process)
        now = time.perf_counter()
        blind, seen = max(blind, now - seen), now
        come = sink.received()
        if come > received:
            last = now
            if received < before + FIRST_BYTES <= come:
                first, cpu_before = now, cpu_seconds(root)
        elif now - last > STALL_SECONDS:
            raise BenchmarkFailed(f"{' '.join(job.command)} stalls")
        received = come
        if now - looked > MEMORY_SECONDS:
            memory, looked = max(memory, memory_bytes(root)), now
        if over and received >= before + FIRST_BYTES:
            break
        if over and job.daemon is None:
            raise BenchmarkFailed(f"{' '.join(job.command)} delivers nothing")
        time.sleep(POLL_SECONDS)
    cpu = cpu_seconds(root) - cpu_before
    if blind > BLIND_SECONDS:
        raise Disturbed(f"nobody looked for {blind:.1f} s: the machine is too busy")
    if last == first:
        raise Disturbed("all messages came between two looks: too few to measure")
    return Figures(count, last - first, cpu, memory)


def _ended(process: subprocess.Popen[bytes]) -> bool:
    """Whether it has ended; it stays a zombie, whose times can still be read."""
    return bool(os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT))
