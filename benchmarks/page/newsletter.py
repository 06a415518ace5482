"""Many mails with one recipient each, in one transaction."""

from __future__ import annotations

import gc
import time
from dataclasses import dataclass
from pathlib import Path

import transaction

from .forked import begin_together, in_processes
from .kinds import Kind
from .onemail import WARM_UP, pay
from .sides import Side

_STATUS, _RESET = Path("/proc/self/status"), Path("/proc/self/clear_refs")
_PEAK = "5"
"""Begins the peak anew (proc(5), clear_refs)."""


@dataclass(frozen=True)
class Issue:
    """What one newsletter took."""

    mails: int
    seconds: float
    """Of the page: each send, and the commit."""
    grown_bytes: int
    """The peak of its memory above what it was before."""


def measure(side: Side, folder: Path, port: int, kind: Kind, mails: int) -> Issue:
    """Send so many in one transaction, in a process of its own."""
    (issue,) = in_processes(1, _process, side, folder, port, kind, mails)
    return issue


def _process(side: Side, folder: Path, port: int, kind: Kind, mails: int) -> Issue:
    send = side.make(folder, port, kind)
    pay(send, kind, WARM_UP)
    begin_together()
    gc.collect()
    before = _status("VmRSS")
    _RESET.write_text(_PEAK)
    seconds = 0.0
    for number in range(mails):
        message, to = kind.write(), f"reader{number}@example.org"
        start = time.perf_counter()
        send(message, to)
        seconds += time.perf_counter() - start
    start = time.perf_counter()
    transaction.commit()
    seconds += time.perf_counter() - start
    return Issue(mails, seconds, max(0, _status("VmHWM") - before))


def _status(name: str) -> int:
    for line in _STATUS.read_text(encoding="ascii", errors="replace").splitlines():
        key, _, value = line.partition(":")
        if key == name:
            return int(value.split()[0]) * 1024
    raise LookupError(name)
