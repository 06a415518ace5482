"""`maildropctl send`: queue the message on standard input."""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING

import click

from . import exits
from .configured import Configured, pass_configured
from .output import leave_standard_output
from .parameters import LaneName, Moment

if TYPE_CHECKING:
    from ..message import Lane, Message


class NotQueued(click.ClickException):
    """There is no message, or none that a relay could take."""

    exit_code = exits.USAGE


@click.command("send")
@click.option(
    "-f",
    "--from",
    "sender",
    metavar="SENDER",
    required=True,
    help='Envelope sender; "" is the null sender, who gets no notifications.',
)
@click.option("--lane", type=LaneName(), help=f"{LaneName.CHOICES}.")
@click.option("--at", type=Moment(), help="Not before this time: 2026-11-23T09:30:00Z")
@click.argument("recipients", metavar="RCPT...", nargs=-1, required=True)
@pass_configured
def send_command(
    configured: Configured,
    sender: str,
    recipients: tuple[str, ...],
    lane: Lane | None,
    at: float | None,
) -> None:
    """Queue the message on standard input; print its id.

    If the exit status is 0, the message is queued durably. Otherwise nothing is queued,
    unless the command says that it may be.
    """
    configuration = configured.load()
    content = _standard_input()
    from ..message import InvalidMessage, compose

    try:
        message = compose(
            content,
            sender,
            recipients,
            lane=lane,
            at=at,
            add_message_id=configuration.add_messageid,
            now=time.time(),
        )
    except InvalidMessage as error:
        raise NotQueued(f"{error}; nothing was queued") from None
    _print_id(_enqueue(configured, message))


def _print_id(id: str) -> None:
    # The message is queued: whoever was told of a failure would send it twice.
    try:
        click.echo(id)
    except OSError as error:
        leave_standard_output()
        click.echo(
            f"queued as {id}; standard output cannot be written ({error.strerror})",
            err=True,
        )


def _standard_input() -> bytes:
    if sys.stdin is None:
        raise NotQueued("standard input is closed; nothing was queued")
    if sys.stdin.isatty():
        click.echo("type the message, its header first; end with Ctrl-D", err=True)
    try:
        return sys.stdin.buffer.read()
    except KeyboardInterrupt:
        click.echo(err=True)  # after the ^C of a terminal
        raise click.ClickException(
            "stopped before the end; nothing was queued"
        ) from None


def _enqueue(configured: Configured, message: Message) -> str:
    from ..doorbell import ring
    from ..queue import QueueError, Unheard, doorbells, enqueue

    queued: str | None = None
    try:
        with configured.queue() as queue:
            with queue.write() as tx:
                now = time.time()
                (id,) = enqueue(tx, [message], now, origin="maildropctl send")
                bells = doorbells(tx)
            queued = id
            # After the commit: a daemon that looks earlier finds nothing.
            ring(bells)
    except KeyboardInterrupt:
        if queued is None:
            raise  # the commit may have ended already
    except Unheard as error:
        # Whoever took that for a failure might send it twice.
        look = "it may be queued: look before you send it again"
        raise click.ClickException(f"{error}; {look}") from None
    except QueueError as error:
        raise click.ClickException(f"{error}; nothing was queued") from None
    return id
