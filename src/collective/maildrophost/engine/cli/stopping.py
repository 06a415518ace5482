"""Ends the daemons that a person stops."""

from __future__ import annotations

import signal
from collections.abc import Callable
from typing import TYPE_CHECKING

from ..errors import MaildropError
from . import processes
from .daemonprocess import was_launched
from .output import tell
from .waiting import comes_true
from .zdaemon import KILL_MARGIN_SECONDS, Supervisor

if TYPE_CHECKING:
    from ..config import Configuration


class NotStopped(MaildropError):
    """The daemon goes on although it was told to stop."""


def stop(
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
        # Asked before its end: afterwards nothing can tell.
        ours = was_launched(pid)
        processes.send_signal(pid, signal.SIGTERM)
        _wait_for_end(configuration, pid)
        how = "its zdaemon was gone" if ours else "it was not started with 'start'"
        tell(f"stopped, pid {pid}; {how}")
    return state is not None or bool(orphans)


def end_supervisor(supervisor: Supervisor) -> None:
    """End zdaemon with its daemon, if it runs; raises NotStopped."""
    state = supervisor.state()
    if state is None:
        return
    configuration = supervisor.configuration
    needed = configuration.stop_timeout + KILL_MARGIN_SECONDS
    if state.pid and supervisor.patience < needed:
        # Since its start, a reload has given the daemon more time than zdaemon grants.
        supervisor.ask(f"kill {signal.SIGTERM:d}")
        _ends_within(needed, configuration, state.pid)
    supervisor.ask("stop")
    _wait_for_end(configuration, state.manager, state.pid)


def _wait_for_end(configuration: Configuration, pid: int, child: int = 0) -> None:
    """Wait for the end of `pid`, which may look after `child`; raises NotStopped."""
    limit = stop_seconds(configuration)
    if _ends_within(limit, configuration, pid):
        return
    # The child last: its zdaemon would start another one.
    both = f"{pid} {child}" if child and processes.lives(child) else f"{pid}"
    raise NotStopped(
        f"pid {pid} still runs after {limit:.0f} seconds: see "
        f"{configuration.log_file}; 'kill -9 {both}' loses no mail, but may "
        "send what is in flight twice"
    )


def _ends_within(seconds: float, configuration: Configuration, pid: int) -> bool:
    """Whether `pid` ends within so many seconds; whoever waits is told what for."""
    most = f"{configuration.stop_timeout:.0f} seconds"
    return comes_true(
        lambda: not processes.lives(pid),
        seconds,
        f"mails in flight have up to {most}…",
    )


def stop_seconds(configuration: Configuration) -> float:
    """How long zdaemon may take to stop or kill its daemon, and to end itself."""
    return configuration.stop_timeout + 2 * KILL_MARGIN_SECONDS
