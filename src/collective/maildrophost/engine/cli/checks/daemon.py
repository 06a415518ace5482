"""Whether a daemon works on the queue."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from .. import heartbeats
from .finding import Finding, failed, ok

if TYPE_CHECKING:
    from ...config import Configuration

SUBJECT = "daemon"
_NONE = "none is running, mail waits in the queue: 'start' starts one"


def check(configuration: Configuration) -> Iterator[Finding]:
    """Every daemon that beats; what the queue cannot tell is not asked twice."""
    from ...queue import QueueError

    try:
        daemons = heartbeats.alive(configuration)
    except QueueError:
        yield failed(SUBJECT, "none can work without its queue")
        return
    for daemon in daemons:
        yield ok(SUBJECT, f"running, pid {daemon.pid} on {daemon.host}")
    if not daemons:
        yield failed(SUBJECT, _NONE)
