"""Whether the clocks of all who share the queue agree."""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from .. import heartbeats
from ..output import span
from .finding import Finding, ok, warning

if TYPE_CHECKING:
    from ...config import Configuration

SUBJECT = "clock"
SKEW_SECONDS = 2.0
"""Two clocks that NTP keeps agree far better; a message comes sooner than that."""


def check(configuration: Configuration) -> Iterator[Finding]:
    """Heartbeats from the future, a disk that has another time than this machine."""
    found = [*_daemons(configuration), *_disk(configuration.home)]
    yield from found or [ok(SUBJECT, "agrees with the daemons and the disk")]


def _daemons(configuration: Configuration) -> Iterator[Finding]:
    from ...queue import QueueError

    try:
        daemons = heartbeats.registered(configuration)
    except QueueError:
        return  # told with the queue
    now = time.time()
    for daemon in daemons:
        ahead = daemon.seen - now
        if ahead > SKEW_SECONDS:
            yield warning(
                SUBJECT,
                f"the heartbeat of pid {daemon.pid} on {daemon.host} is {span(ahead)} "
                "ahead of this clock: mail may wait so long; let NTP set all clocks",
            )


def _disk(home: Path) -> Iterator[Finding]:
    if not os.path.isdir(home):
        return
    try:
        with tempfile.NamedTemporaryFile(dir=home, prefix=".clock-") as file:
            file.write(b"?")
            file.flush()
            written = Path(file.name).stat().st_mtime
    except OSError:
        return  # told with the directories
    skew = abs(written - time.time())
    if skew > SKEW_SECONDS:
        yield warning(
            SUBJECT,
            f"the disk of {home} has a time that differs by {span(skew)}: let NTP set "
            "the clocks of this machine and of the file server",
        )
