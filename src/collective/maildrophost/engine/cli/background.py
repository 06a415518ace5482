"""The background daemon under zdaemon: start, stop, restart, reload."""

from __future__ import annotations

import signal
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING

import click

from ..errors import MaildropError
from . import heartbeats
from .configured import Configured, pass_configured
from .daemonprocess import was_launched
from .ending import end_supervisor, send_signal, stop_seconds, wait_for_end
from .output import tell
from .turns import turn
from .whose import (
    check_it_is_ours,
    check_it_reads_ours,
    check_nobody_else_runs_it,
    check_none_is_out_of_reach,
    launched,
    name_others,
    running,
)
from .zdaemon import LAUNCH_SECONDS, CannotStart, Supervisor

if TYPE_CHECKING:
    from ..config import Configuration

POLL_SECONDS = 0.05
START_SECONDS = 30.0


class Hangs(MaildropError):
    """The daemon runs, but does not work."""


@click.command("start")
@pass_configured
def start_command(configured: Configured) -> None:
    """Start the daemon in the background.

    zdaemon keeps it running: after a crash it is back in seconds. This command ends
    when the daemon works, or says why it does not.
    """
    configuration = configured.load()
    with _turn(configuration):
        _start(configuration)


@click.command("stop")
@pass_configured
def stop_command(configured: Configured) -> None:
    """Stop the daemon once the mails in flight are through.

    They have MAILDROP_STOP_TIMEOUT seconds; all other mail waits in the queue.
    """
    configuration = configured.load()
    with _turn(configuration):
        if not _stop(configuration, heartbeats.local_pids):
            check_none_is_out_of_reach(configuration)
            tell("not running")
            name_others(configuration)


@click.command("restart")
@pass_configured
def restart_command(configured: Configured) -> None:
    """Stop the daemon, start it anew.

    One that does not run is started. One that was not started with 'start' goes on:
    restart it with what runs it, systemd say.
    """
    configuration = configured.load()
    with _turn(configuration):
        check_nobody_else_runs_it(configuration)
        if running(configuration) is None:
            check_none_is_out_of_reach(configuration)
        # What would keep the next one from starting must not end this one.
        _prepare(configuration)
        # What was not started with 'start' goes on: it ends by itself, see above.
        if not _stop(configuration, launched):
            name_others(configuration)
        _start(configuration)


@click.command("reload")
@pass_configured
def reload_command(configured: Configured) -> None:
    """Make the daemon read its configuration again.

    A configuration with an error is refused here; the daemon then keeps the one it has.
    """
    configuration = configured.load()
    pid = running(configuration)
    if pid is None:
        check_none_is_out_of_reach(configuration)
        name_others(configuration)
        raise click.ClickException(
            "not running: the next start reads the configuration anyway"
        )
    check_it_reads_ours(configuration, pid)
    _check_tokens(configuration)
    send_signal(pid, signal.SIGHUP)
    tell(f"pid {pid} reads {configuration.path}")


def _turn(configuration: Configuration) -> AbstractContextManager[None]:
    # What another one found meanwhile would not be so any more: it would end the daemon
    # that was just started, and report a failure.
    longest = LAUNCH_SECONDS + START_SECONDS + 2 * stop_seconds(configuration)
    return turn(configuration.path, longest)


def _start(configuration: Configuration) -> None:
    pid = running(configuration)
    if pid is not None:
        check_it_is_ours(configuration, pid)
        if _hangs(configuration, pid):
            raise Hangs(
                f"pid {pid} runs, but gives no sign of life: 'restart' ends it and "
                "starts another; mail waits in the queue. Where its log says that the "
                "queue cannot be written, mend that instead"
            )
        tell(f"already running, pid {pid}")
        return
    _prepare(configuration)
    supervisor = Supervisor(configuration)
    end_supervisor(supervisor)  # one that waits after a crash has old settings
    supervisor.launch()
    tell(f"started, pid {_wait_for_heartbeat(supervisor)}")


def _prepare(configuration: Configuration) -> None:
    """Make what a daemon needs; raises UnusableDirectory or ConfigurationError."""
    from ..daemon.directories import check_log_file, make_directories

    make_directories(configuration)
    check_log_file(configuration)
    _check_tokens(configuration)


def _check_tokens(configuration: Configuration) -> None:
    """What the daemon would refuse; raises ConfigurationError."""
    if configuration.auth == "xoauth2":
        from ..tokens import source_of

        source_of(configuration)


def _hangs(configuration: Configuration, pid: int) -> bool:
    """Whether the daemon under zdaemon had time enough to work, but does not."""
    from ..queue import QueueError

    state = Supervisor(configuration).state()
    if state is None or state.pid != pid:
        return False
    try:
        silent = pid not in heartbeats.local_pids(configuration)
    except QueueError:
        return False  # the queue is at fault, and nothing can be told
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
        f"the daemon (pid {pid}) runs, but does not work after {START_SECONDS:.0f} "
        f"seconds: see {supervisor.configuration.log_file} and "
        f"{supervisor.transcript}; mail waits in the queue"
    )


def _beats(configuration: Configuration, pid: int) -> bool:
    from ..queue import QueueError

    try:
        return pid in heartbeats.local_pids(configuration)
    except QueueError:
        return False  # the daemon meets the same and says it with its last words


def _death(supervisor: Supervisor) -> str:
    reason = supervisor.last_words() or "it gave no reason"
    return (
        f"the daemon ended at once: {reason.removeprefix('maildropctl: ')} "
        f"(all it said is in {supervisor.transcript}; mail waits in the queue)"
    )


def _stop(
    configuration: Configuration, others: Callable[[Configuration], list[int]]
) -> bool:
    """Stop the daemon, then the `others`; False when none ran. Raises NotStopped."""
    supervisor = Supervisor(configuration)
    state = supervisor.state()
    if state is not None:
        end_supervisor(supervisor)
        tell(f"stopped, pid {state.pid}" if state.pid else "stopped")
    orphans = others(configuration)
    for pid in orphans:
        # Asked before its end: there is nothing to tell it by afterwards.
        ours = was_launched(pid)
        send_signal(pid, signal.SIGTERM)
        wait_for_end(configuration, pid)
        how = "its zdaemon was gone" if ours else "it was not started with 'start'"
        tell(f"stopped, pid {pid}; {how}")
    return state is not None or bool(orphans)
