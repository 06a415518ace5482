"""One mail while our daemon delivers a long queue as fast as it can."""

from __future__ import annotations

import time
from pathlib import Path

from ..contestants.contestant import Job
from ..contestants.maildrophost import Maildrophost
from ..delivery import CONNECTIONS
from ..failure import BenchmarkFailed
from ..programs import running
from . import onemail
from .kinds import TEXT
from .onemail import Load, Paid
from .sides import CONFIGURED

QUEUED = 20_000
LOAD = Load("beside a daemon", TEXT, processes=1, threads=1, mails=400)
START_SECONDS = 20.0


def measure(folder: Path, port: int) -> Paid:
    """What a mail costs beside the daemon.

    BenchmarkFailed when that has nothing left to deliver before the end, or when the
    queue was locked, as in every other measurement.
    """
    folder.mkdir()
    daemon = Maildrophost("the daemon", CONNECTIONS)
    with (
        daemon.job(folder, port, QUEUED) as job,
        running(job.command, job.environment),
    ):
        _wait_for_start(job)
        paid = onemail.measure(CONFIGURED, folder, port, LOAD)
        if not job.left():
            raise BenchmarkFailed(f"{LOAD.title}: {QUEUED} messages were too few")
    return paid


def _wait_for_start(job: Job) -> None:
    deadline = time.monotonic() + START_SECONDS
    while job.left() == QUEUED:
        if time.monotonic() > deadline:
            raise BenchmarkFailed(f"{LOAD.title}: the daemon delivers nothing")
        time.sleep(0.05)
