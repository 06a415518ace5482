"""Whether a daemon works on the queue."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import TYPE_CHECKING

from .. import heartbeats
from .finding import Finding, failed, ok

if TYPE_CHECKING:
    from ...config import Configuration

SUBJECT = "daemon"
_NONE = "none is running, mail waits in the queue: maildropctl start"


def check(configuration: Configuration) -> Iterator[Finding]:
    """Every daemon that beats; what the queue cannot tell is not asked twice."""
    from ...queue import QueueError, all_daemons, open_queue

    if not heartbeats.queue_exists(configuration):
        yield failed(SUBJECT, _NONE)
        return
    try:
        queue = open_queue(configuration.queue)
        try:
            with queue.read() as tx:
                daemons = all_daemons(tx)
        finally:
            queue.close()
    except QueueError:
        yield failed(SUBJECT, "none can work without its queue")
        return
    now = time.time()
    alive = [daemon for daemon in daemons if heartbeats.beating(daemon, now)]
    for daemon in alive:
        yield ok(SUBJECT, f"running, pid {daemon.pid} on {daemon.host}")
    if not alive:
        yield failed(SUBJECT, _NONE)
