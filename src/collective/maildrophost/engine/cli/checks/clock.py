"""Whether the clocks of all who share the queue agree."""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

from .. import heartbeats
from ..output import span
from .finding import Finding, ok, warning

if TYPE_CHECKING:
    from ...config import Configuration

SUBJECT = "clock"
SKEW_SECONDS = 2.0
"""Clocks that NTP sets agree far better."""


def check(configuration: Configuration) -> Iterator[Finding]:
    """A warning for each clock that differs: the server's, a daemon's, the disk's."""
    from ...queue import QueueError, is_shared

    try:
        # Heartbeats have the time of the server, where there is one.
        shared = is_shared(configuration.queue)
        warnings = [*(_server if shared else _daemons)(configuration)]
    except QueueError:
        shared, warnings = False, []  # reported with the queue
    warnings += _disk(configuration.home)
    others = "the database server" if shared else "the daemons"
    yield from warnings or [ok(SUBJECT, f"agrees with {others} and the disk")]


def _server(configuration: Configuration) -> Iterator[Finding]:
    from ...queue import moment, open_queue

    with closing(open_queue(configuration.queue)) as queue, queue.read() as tx:
        before = time.time()
        server_time = moment(tx, before)
        after = time.time()
    # The answer may have taken its time.
    ahead, behind = before - server_time, server_time - after
    if ahead > SKEW_SECONDS:
        yield warning(
            SUBJECT,
            f"this clock is {span(ahead)} ahead of the database server's: mail is "
            "tried, and given up, that much too early from here; let NTP set both",
        )
    elif behind > SKEW_SECONDS:
        yield warning(
            SUBJECT,
            f"this clock is {span(behind)} behind the database server's: mail may wait "
            "that long; let NTP set both",
        )


def _daemons(configuration: Configuration) -> Iterator[Finding]:
    alive, lost = heartbeats.known(configuration)
    now = time.time()
    for daemon in (*alive, *lost):
        ahead = daemon.seen - now
        if ahead > SKEW_SECONDS:
            yield warning(
                SUBJECT,
                f"the heartbeat of pid {daemon.pid} on {daemon.host} is {span(ahead)} "
                "ahead of this clock: mail may wait that long; let NTP set all clocks",
            )


def _disk(home: Path) -> Iterator[Finding]:
    if not os.path.isdir(home):
        return
    before = time.time()
    try:
        with tempfile.NamedTemporaryFile(dir=home, prefix=".clock-") as file:
            file.write(b"?")
            file.flush()
            written = Path(file.name).stat().st_mtime
    except OSError:
        return  # reported with the directories
    after = time.time()
    # The disk may have taken its time.
    skew = max(before - written, written - after)
    if skew > SKEW_SECONDS:
        yield warning(
            SUBJECT,
            f"the disk of {home} has a time that differs by {span(skew)}: let NTP set "
            "the clocks of this machine and of the file server",
        )
