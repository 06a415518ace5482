"""The start of a daemon in the background, up to its first sign of life."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from ..errors import MaildropError
from . import heartbeats
from .output import tell
from .stopping import end_supervisor
from .whichdaemon import (
    check_it_is_ours,
    running,
    without_its_file,
    without_its_zdaemon,
)
from .zdaemon import CannotStart, Supervisor

if TYPE_CHECKING:
    from ..config import Configuration

POLL_SECONDS = 0.05
START_SECONDS = 30.0


class Hangs(MaildropError):
    """The daemon runs, but does not work."""


def start(configuration: Configuration) -> None:
    """Start the daemon, unless it runs; raises CannotStart, Hangs, RunForAnother."""
    pid = running(configuration)
    if pid is not None:
        check_it_is_ours(configuration, pid)
        if _hangs(configuration, pid):
            raise Hangs(
                f"pid {pid} runs, but gives no sign of life: 'restart' ends it and "
                "starts another; mail waits in the queue. If its log says that the "
                "queue cannot be written, see to that instead"
            )
        lacks = without_its_file(configuration, pid) or without_its_zdaemon(
            configuration, pid
        )
        tell(f"already running, pid {pid}{lacks}")
        return
    prepare(configuration)
    supervisor = Supervisor(configuration)
    end_supervisor(supervisor)  # a zdaemon that waits after a crash has old settings
    supervisor.launch()
    tell(f"started, pid {_wait_for_heartbeat(supervisor)}")


def prepare(configuration: Configuration) -> None:
    """Make what a daemon needs; raises UnusableDirectory or ConfigurationError."""
    from ..daemon.directories import check_files, make_directories

    make_directories(configuration)
    check_files(configuration)
    check_tokens(configuration)


def check_tokens(configuration: Configuration) -> None:
    """Raises ConfigurationError for settings that the daemon would refuse."""
    if configuration.auth == "xoauth2":
        from ..tokens import source_of

        source_of(configuration)


def _hangs(configuration: Configuration, pid: int) -> bool:
    """Whether the daemon under zdaemon has had time enough to work, but does not."""
    from ..queue import QueueError

    state = Supervisor(configuration).state()
    if state is None or state.pid != pid:
        return False
    try:
        silent = pid not in heartbeats.local_pids(configuration)
    except QueueError:
        return False  # the queue is at fault: it cannot tell whether the daemon works
    return silent and time.time() - state.last_start > START_SECONDS


def _wait_for_heartbeat(supervisor: Supervisor) -> int:
    """The pid of the daemon once it works; raises CannotStart when it does not."""
    deadline = time.monotonic() + START_SECONDS
    pid = 0
    while time.monotonic() < deadline:
        state = supervisor.state()
        if state is None or state.died or (pid and state.pid != pid):
            end_supervisor(supervisor)
            raise CannotStart(_death(supervisor))
        pid = state.pid
        if pid and _beats(supervisor.configuration, pid):
            return pid
        time.sleep(POLL_SECONDS)
    raise CannotStart(
        f"the daemon (pid {pid}) runs, but is not ready after {START_SECONDS:.0f} "
        f"seconds: see {supervisor.configuration.log_file} and "
        f"{supervisor.transcript}; mail waits in the queue"
    )


def _beats(configuration: Configuration, pid: int) -> bool:
    from ..queue import QueueError

    try:
        return pid in heartbeats.local_pids(configuration)
    except QueueError:
        return False  # the daemon meets the same error: its last words will say so


def _death(supervisor: Supervisor) -> str:
    reason = supervisor.last_words() or "it gave no reason"
    return (
        f"the daemon ended at once: {reason.removeprefix('maildropctl: ')} "
        f"(all it said is in {supervisor.transcript}; mail waits in the queue)"
    )
