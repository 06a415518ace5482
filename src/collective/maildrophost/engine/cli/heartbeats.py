"""The daemons that work on a queue, seen by their heartbeat."""

from __future__ import annotations

import os
import socket
import time
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

from ..doorbell import answers, is_dead
from ..system.identity import is_gone, is_running, process_identity
from . import processes

if TYPE_CHECKING:
    from ..config import Configuration
    from ..queue import Daemon


WHY_SILENT = (
    "it hangs, or cannot write to the queue (on a full disk, say). Look at its log "
    "before you restart it: it keeps the verdicts that it could not write"
)
"""What may be wrong with a daemon that runs without a heartbeat."""


def runs(daemon: Daemon) -> bool:
    """Whether its process certainly runs, whatever its heartbeat says."""
    return is_running(daemon.process)


def local_pids(configuration: Configuration) -> list[int]:
    """The daemons of this very configuration on this machine, however started.

    Raises QueueError when the queue cannot be read.
    """
    return [
        each.pid
        for each in alive(configuration)
        if _serves(each, configuration) and _is_here(each)
    ]


def other_pids(configuration: Configuration) -> list[int]:
    """Daemons of the queue on this machine with another MAILDROP_VAR.

    Raises QueueError when the queue cannot be read.
    """
    return [
        each.pid
        for each in alive(configuration)
        if not _serves(each, configuration) and _is_here(each)
    ]


def out_of_reach(configuration: Configuration) -> list[Daemon]:
    """Daemons of this very configuration on this machine that no signal reaches.

    In another container, say. Raises QueueError when the queue cannot be read.
    """
    from ..queue import is_shared

    shared = is_shared(configuration.queue)
    return [
        each
        for each in alive(configuration)
        if _serves(each, configuration)
        and not _is_here(each)
        and not _is_elsewhere(each, shared)
    ]


def alive(configuration: Configuration) -> tuple[Daemon, ...]:
    """Every daemon that works on the queue, wherever; raises QueueError."""
    return known(configuration)[0]


def known(
    configuration: Configuration,
) -> tuple[tuple[Daemon, ...], tuple[Daemon, ...]]:
    """Those that work on the queue, and those that fell silent without a goodbye.

    Raises QueueError.
    """
    from ..queue import alive_and_lost, exists, open_queue

    if not exists(configuration.queue):
        return (), ()
    with closing(open_queue(configuration.queue)) as queue, queue.read() as tx:
        return alive_and_lost(tx, time.time())


def _is_here(daemon: Daemon) -> bool:
    """Whether its pid means that daemon here, so that it may be sent a signal."""
    if daemon.process:
        # Whatever the machine was called when it started; a zombie counts as ended.
        return is_running(daemon.process)
    # Without /proc any process may have its pid by now.
    return (
        daemon.host == socket.gethostname()
        and not process_identity(daemon.pid)
        and daemon.pid != os.getpid()
        and answers(daemon.doorbell)
        and processes.lives(daemon.pid)
    )


def _is_elsewhere(daemon: Daemon, shared: bool) -> bool:
    """Whether it is on another machine, or has ended.

    Only a queue that is `shared` has daemons on several machines.
    """
    if shared:
        return daemon.host != socket.gethostname()
    # Its doorbell shows what a pid cannot: that it was killed in another container.
    return is_gone(daemon.process, here=True) or is_dead(daemon.doorbell)


def _serves(daemon: Daemon, configuration: Configuration) -> bool:
    # Several configurations may share a queue; each has its own MAILDROP_VAR.
    return Path(daemon.doorbell).parent == configuration.var
