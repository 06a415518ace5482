"""One mail in a transaction of its own, again and again."""

from __future__ import annotations

import os
import statistics
import threading
import time
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import transaction
import ZODB.FileStorage

from ..failure import BenchmarkFailed
from .forked import begin_together, in_processes
from .kinds import Kind
from .sides import Send, Side

WARM_UP = 20


@dataclass(frozen=True)
class Load:
    """How many send at the same time, and how many mails of which kind each sends."""

    name: str
    kind: Kind
    processes: int
    threads: int
    mails: int
    changes: bool = False
    """Whether the transaction changes a ZODB as well, as most pages with mail do."""

    @property
    def title(self) -> str:
        """What tells it from other loads."""
        return f"{self.kind.name}, {self.name}"

    @property
    def together(self) -> bool:
        """Whether several send at the same time."""
        return self.processes * self.threads > 1


@dataclass(frozen=True)
class Paid:
    """What was paid for each mail that was taken."""

    milliseconds: list[float]
    locked: int
    """How often the queue said that somebody else had locked it."""

    @property
    def p50(self) -> float:
        return statistics.median(self.milliseconds)

    @property
    def p99(self) -> float:
        return statistics.quantiles(self.milliseconds, n=100)[98]


def together(parts: Iterable[Paid]) -> Paid:
    """All of them as one."""
    every = list(parts)
    times = [each for part in every for each in part.milliseconds]
    return Paid(times, sum(part.locked for part in every))


def measure(side: Side, folder: Path, port: int, load: Load) -> Paid:
    """Have the mails of `load` sent; the making of the messages is not measured.

    BenchmarkFailed when a queue was locked.
    """
    parts = in_processes(load.processes, _process, side, folder, port, load)
    paid = together(parts)
    if paid.locked:
        raise BenchmarkFailed(
            f"{side.name}, {load.title}: the queue was locked {paid.locked} times"
        )
    return paid


def _process(side: Side, folder: Path, port: int, load: Load) -> Paid:
    send = side.make(folder, port, load.kind)
    if load.changes:
        send = changing(folder / f"Data.{os.getpid()}.fs", send)
    warm = pay(send, load.kind, WARM_UP)
    begin_together()
    with ThreadPoolExecutor(load.threads) as pool:
        paying = partial(pay, send, load.kind)
        parts = pool.map(paying, [load.mails] * load.threads)
        return together([Paid([], warm.locked), *parts])


def changing(file: Path, send: Send) -> Send:
    """As `send`, after a change in a ZODB of this process's own."""
    database = ZODB.DB(ZODB.FileStorage.FileStorage(str(file)))
    own = threading.local()  # A connection takes part in its own thread's transactions.

    def change_and_send(message: Any, to: str) -> None:
        if not hasattr(own, "root"):
            own.root = database.open().root
        own.root.mail_to = to
        send(message, to)

    return change_and_send


def pay(send: Send, kind: Kind, mails: int) -> Paid:
    """Send so many, each in a transaction of its own."""
    times, locked = [], 0
    for number in range(mails):
        message, to = kind.write(), f"reader{number}@example.org"
        start = time.perf_counter()
        try:
            send(message, to)
            transaction.commit()
        except Exception as error:
            transaction.abort()
            if "locked" not in str(error):
                raise
            locked += 1
        else:
            times.append((time.perf_counter() - start) * 1000)
    return Paid(times, locked)
