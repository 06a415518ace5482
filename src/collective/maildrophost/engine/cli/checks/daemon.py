"""Whether a daemon works on the queue."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import closing
from typing import TYPE_CHECKING

from .. import heartbeats
from ..whichdaemon import unwatched
from .finding import Finding, failed, ok, warning

if TYPE_CHECKING:
    from ...config import Configuration
    from ...queue import Daemon

SUBJECT = "daemon"


def check(configuration: Configuration) -> Iterator[Finding]:
    """Every daemon that has a heartbeat; why a queue fails is said with the queue."""
    from ...queue import QueueError

    try:
        alive, lost = heartbeats.known(configuration)
        if not alive:
            yield _none(configuration, lost)
        alone = unwatched(configuration)
    except QueueError:
        yield failed(SUBJECT, "none can work without its queue")
        return
    for daemon in alive:
        yield ok(SUBJECT, f"running, pid {daemon.pid} on {daemon.host}")
    for pid in alone:
        yield warning(
            SUBJECT,
            f"pid {pid} was started with 'start', but its zdaemon is gone: nothing "
            "would bring it back after a crash; 'restart' starts both",
        )


def _none(configuration: Configuration, lost: Sequence[Daemon]) -> Finding:
    """A failure only if one was lost or mail waits: people check before the start."""
    for daemon in lost:
        if heartbeats.runs(daemon):
            what = f"runs, but gives no sign of life: {heartbeats.WHY_SILENT}"
            return failed(SUBJECT, f"pid {daemon.pid} {what}")
    if lost:
        return failed(SUBJECT, "the last one was killed or hangs: 'start' starts one")
    if _mail_waits(configuration):
        return failed(
            SUBJECT, "none is running, mail waits in the queue: 'start' starts one"
        )
    return warning(SUBJECT, "none is running: 'start' starts one")


def _mail_waits(configuration: Configuration) -> bool:
    from ...queue import exists, open_queue, queue_length

    if not exists(configuration.queue):
        return False
    with closing(open_queue(configuration.queue)) as queue, queue.read() as tx:
        return queue_length(tx) > 0
