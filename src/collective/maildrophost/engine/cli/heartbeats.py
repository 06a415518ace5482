"""The daemons that work on a queue, seen by their heartbeat."""

from __future__ import annotations

import socket
import time
from typing import TYPE_CHECKING

from . import processes

if TYPE_CHECKING:
    from ..config import Configuration
    from ..queue import Daemon


def beating(daemon: Daemon, now: float) -> bool:
    """Whether a daemon is alive at `now`; a killed one of this machine is not.

    The lease of a daemon that was killed still runs for a while: on its own machine
    that can be told earlier.
    """
    if not daemon.alive(now):
        return False
    return daemon.host != socket.gethostname() or processes.lives(daemon.pid)


def here(configuration: Configuration, pid: int) -> bool:
    """Whether the process `pid` of this machine beats in the configuration's queue.

    Raises QueueError when the queue cannot be read.
    """
    from ..queue import all_daemons, open_queue

    if not queue_exists(configuration):
        return False
    queue = open_queue(configuration.queue)
    try:
        with queue.read() as tx:
            daemons = all_daemons(tx)
    finally:
        queue.close()
    now, host = time.time(), socket.gethostname()
    return any(
        (daemon.host, daemon.pid) == (host, pid) and beating(daemon, now)
        for daemon in daemons
    )


def queue_exists(configuration: Configuration) -> bool:
    """False for an SQLite queue that nobody has made yet.

    Who only looks must not make one: it would belong to the wrong user.
    """
    from sqlalchemy.engine import make_url

    url = make_url(configuration.queue)
    if url.get_backend_name() != "sqlite":
        return True
    from ..queue.sqlite import path_of

    return path_of(url).exists()


def unsupervised(configuration: Configuration) -> int | None:
    """The pid of a daemon of this configuration that zdaemon knows nothing of.

    systemd may have started it, a person with `run`, or its zdaemon was killed. The pid
    file alone proves nothing: it may be left over, its number given to another process.
    """
    try:
        pid = int(configuration.pid_file.read_text(encoding="ascii").split()[0])
    except (OSError, ValueError, IndexError):
        return None
    if not processes.lives(pid) or not here(configuration, pid):
        return None
    return pid
