"""The daemon in the foreground: run, fg."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

import click

from ..errors import MaildropError
from ..system import signals
from .configured import Configured, pass_configured
from .progress import steps

SUPERVISORS_START_SECONDS = 1.0
"""`startsecs` of supervisor, by default and in what the buildout recipe writes."""


@click.command("run")
@click.option(
    "--once", is_flag=True, help="Handle everything that is due now, then end."
)
@pass_configured
def run_command(configured: Configured, once: bool) -> None:
    """Run the daemon in the foreground.

    For systemd, supervisor and containers.
    SIGTERM and SIGINT stop it once the mails in flight are through; SIGHUP makes it
    read its configuration again.
    """
    # The first process of a container never gets a signal that comes before there is a
    # handler: to stop a container that has just started would take until it is killed.
    with _errors_that_supervisor_believes(), signals.kept_waiting():
        from ..daemon import run, run_once
        from ..delivery import Route

        configuration = configured.load()
        if not once:
            run(configuration)
            return
        with steps("sending") as tell:
            mail_is_left = run_once(configuration, tell)
    if mail_is_left:
        fault = _fault(configured, Route.of(configuration).name)
        raise click.ClickException(f"{fault}; mail waits in the queue")


@contextmanager
def _errors_that_supervisor_believes() -> Iterator[None]:
    """Stay long enough for supervisor to take a configuration error for one.

    For supervisor, what ends sooner has not started, whatever its exit status: it would
    be started again and again.
    """
    try:
        yield
    except MaildropError as error:
        from ..config import ConfigurationError

        is_lasting = isinstance(error, ConfigurationError)
        if is_lasting and "SUPERVISOR_ENABLED" in os.environ:
            time.sleep(SUPERVISORS_START_SECONDS)
        raise


def _fault(configured: Configured, relay: str) -> str:
    """The relay's fault that has ended a run too early, in the words of `status`."""
    from ..queue import pause_of

    with configured.queue() as queue, queue.read() as tx:
        pause = pause_of(tx, relay)
    return pause.fault if pause else "the relay is at fault, as the log says"


@click.command("fg")
@pass_configured
def fg_command(configured: Configured) -> None:
    """Run the daemon here, with its log on the console.

    The one in the background must be stopped first.
    """
    from .whichdaemon import running

    configuration = configured.load()
    pid = running(configuration)
    if pid is not None:
        raise click.ClickException(
            f"already running, pid {pid}: run '{configured.program} stop' first"
        )
    from ..daemon import run

    # In the environment, because the daemon reads its configuration again on SIGHUP.
    os.environ["DEBUG"] = "1"
    run(replace(configuration, debug=True))
