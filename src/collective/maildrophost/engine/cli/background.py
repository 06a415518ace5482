"""The background daemon under zdaemon: start, stop, restart, reload."""

from __future__ import annotations

import signal
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING

import click

from . import heartbeats
from .configured import Configured, pass_configured
from .output import tell
from .processes import send_signal
from .starting import START_SECONDS, check_tokens, prepare, start
from .stopping import stop, stop_seconds
from .turns import turn
from .whichdaemon import (
    check_it_reads_ours,
    check_nobody_else_runs_it,
    check_none_is_out_of_reach,
    launched,
    name_others,
    running,
)
from .zdaemon import LAUNCH_SECONDS

if TYPE_CHECKING:
    from ..config import Configuration


@click.command("start")
@pass_configured
def start_command(configured: Configured) -> None:
    """Start the daemon in the background.

    zdaemon keeps it running: after a crash it is back in seconds. This command ends
    when the daemon works, or says why it does not.
    """
    configuration = configured.load()
    with _turn(configuration):
        start(configuration)


@click.command("stop")
@pass_configured
def stop_command(configured: Configured) -> None:
    """Stop the daemon once the mails in flight are through.

    They have MAILDROP_STOP_TIMEOUT seconds; all other mail waits in the queue.
    """
    configuration = configured.load()
    with _turn(configuration):
        if not stop(configuration, heartbeats.local_pids):
            check_none_is_out_of_reach(configuration)
            tell("not running")
            name_others(configuration)


@click.command("restart")
@pass_configured
def restart_command(configured: Configured) -> None:
    """Stop the daemon and start it again.

    If none runs, one is started. A daemon that was not started with 'start' is left
    alone: restart it with whatever runs it, such as systemd.
    """
    configuration = configured.load()
    with _turn(configuration):
        check_nobody_else_runs_it(configuration)
        if running(configuration) is None:
            check_none_is_out_of_reach(configuration)
        # First, so that what keeps the next daemon from starting does not end this one.
        prepare(configuration)
        # Only those of 'start': any other one left is a 'run --once', which soon ends.
        if not stop(configuration, launched):
            name_others(configuration)
        start(configuration)


@click.command("reload")
@pass_configured
def reload_command(configured: Configured) -> None:
    """Make the daemon read its configuration again.

    A configuration with an error, or with a queue that cannot be read, is refused here;
    the daemon then keeps the one it has.
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
    check_tokens(configuration)
    heartbeats.alive(configuration)  # a queue out of reach is refused here, too
    send_signal(pid, signal.SIGHUP)
    tell(f"pid {pid} reads {configuration.path}")


def _turn(configuration: Configuration) -> AbstractContextManager[None]:
    # Of two at a time, one would act on what is no longer true: it would end the daemon
    # that the other has just started, and report a failure.
    longest = LAUNCH_SECONDS + START_SECONDS + 2 * stop_seconds(configuration)
    return turn(configuration.path, longest)
