"""What the queue holds: queue, show."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

import click

from .configured import Configured, pass_configured
from .output import (
    local_time,
    print_json,
    print_json_list,
    printable,
    size,
    span,
)
from .parameters import StateName, json_option
from .tables import Column, print_pages, print_table

if TYPE_CHECKING:
    from ..queue import AttemptRecord, MessageRecord, Queue, State

COLUMNS = (
    Column("ID", right=True),
    Column("STATE"),
    Column("LANE"),
    Column("DUE"),
    Column("SIZE", right=True),
    Column("FROM", give=2),
    Column("TO", give=2),
    Column("SUBJECT", give=3),
)
RECIPIENT_COLUMNS = (
    Column("RECIPIENT", give=1),
    Column("STATE"),
    Column("TRIES", right=True),
    Column("LAST REPLY", give=2),
)
ATTEMPT_COLUMNS = (
    Column("TIME"),
    Column("TRY", right=True),
    Column("RELAY", give=1),
    Column("RECIPIENT", give=2),
    Column("OUTCOME"),
    Column("REPLY", give=3),
)


AT_A_TERMINAL = 100
"""Messages shown to a person who has not said how many."""
AT_ONCE = 1000
"""Messages that are read in one transaction."""
MOST = 1_000_000_000
"""Messages that can be asked for; databases have a limit, too."""


@click.command("queue")
@click.option(
    "--state",
    type=StateName(),
    help=f"Only messages in this state: {StateName.CHOICES}.",
)
@click.option(
    "--limit",
    type=click.IntRange(1, MOST),
    help=f"At most this many. Without it: all, or {AT_A_TERMINAL} at a terminal.",
)
@json_option
@pass_configured
def queue_command(
    configured: Configured, state: State | None, limit: int | None, as_json: bool
) -> None:
    """List messages, oldest due first.

    Sent messages are listed only with --state sent.
    """
    if not configured.has_queue():
        _print_pages([], as_json)
        return
    if limit is None:
        # A program that counts them must not take the first ones for all.
        for_a_person = sys.stdout.isatty() and not as_json
        limit = AT_A_TERMINAL if for_a_person else MOST
    from ..queue import keys_in_order

    with configured.queue() as queue:
        with queue.read() as tx:
            keys = keys_in_order(tx, state, limit + 1)
        _print_pages(_pages(queue, keys[:limit]) if keys else [], as_json)
    if len(keys) > limit:
        click.echo(f"only the first {limit} are shown: see --limit", err=True)


def _pages(queue: Queue, keys: list[int]) -> Iterator[list[MessageRecord]]:
    """Each read when it is printed: neither memory nor a transaction holds them all.

    The reader of a pipe may stop for hours, and a queue grows while it is being read.
    """
    from ..queue import records

    for start in range(0, len(keys), AT_ONCE):
        with queue.read() as tx:
            page = records(tx, keys[start : start + AT_ONCE])
        yield page


def _print_pages(pages: Iterable[list[MessageRecord]], as_json: bool) -> None:
    now = time.time()
    if as_json:
        print_json_list(message.as_json() for page in pages for message in page)
    elif pages:
        print_pages(COLUMNS, ([_row(each, now) for each in page] for page in pages))
    else:
        click.echo("no messages")


def _row(message: MessageRecord, now: float) -> list[str]:
    first, others = message.recipients[:1], len(message.recipients) - 1
    to = ", ".join(recipient.address for recipient in first)
    return [
        message.id,
        message.state.value,
        message.lane.label,
        _due(message, now),
        size(message.size),
        message.sender or "<>",
        f"{to} +{others}" if others > 0 else to,
        message.subject,
    ]


def _due(message: MessageRecord, now: float) -> str:
    if message.state.value not in ("queued", "deferred"):
        return "-"
    return f"in {span(message.due - now)}" if message.due > now else "now"


@click.command("show")
@click.argument("id")
@click.option("--raw", is_flag=True, help="Print the message itself, byte for byte.")
@json_option
@pass_configured
def show_command(configured: Configured, id: str, raw: bool, as_json: bool) -> None:
    """Show one message.

    Its envelope, its recipients, every attempt with the relay's reply.
    """
    if raw and as_json:
        raise click.UsageError("--raw and --json exclude each other")
    if not configured.has_queue():
        raise _no_such(id)
    from ..queue import attempts, content, get_message

    with configured.queue() as queue, queue.read() as tx:
        message = get_message(tx, id)
        if message is None:
            raise _no_such(id)
        if raw:
            data = content(tx, id)
        else:
            history = attempts(tx, id)
    if raw:
        _print_raw(id, data)
    elif as_json:
        attempts_made = [attempt.as_json() for attempt in history]
        print_json({**message.as_json(), "history": attempts_made})
    else:
        _print_message(message, history)


def _no_such(id: str) -> click.ClickException:
    return click.ClickException(f"there is no message {id!r}")


def _print_raw(id: str, data: bytes | None) -> None:
    if data is None:
        raise click.ClickException(
            f"the text of message {id} is gone: only the record of sent mail is kept"
        )
    if sys.stdout.isatty():  # a message must not steer the terminal it is read on
        for line in data.decode("utf-8", "backslashreplace").splitlines():
            click.echo(printable(line))
    else:
        sys.stdout.buffer.write(data)


def _print_message(message: MessageRecord, history: list[AttemptRecord]) -> None:
    facts = {
        "Message": f"{message.id}, {message.state.value}, lane {message.lane.label}",
        "From": message.sender or "<> (null sender)",
        "Subject": message.subject,
        "Message-Id": message.message_id,
        "Size": f"{message.size} bytes",
        "Created": local_time(message.created),
        "Due": local_time(message.due),
        "Attempts": str(message.attempts),
        "Duplicate": "possible" if message.possible_duplicate else "",
        "Origin": message.origin,
        "Batch": message.batch or "",
    }
    for name, value in facts.items():
        if value:
            label = click.style(f"{name + ':':<12}", bold=True)
            click.echo(f"{label}{printable(value)}")
    click.echo()
    print_table(RECIPIENT_COLUMNS, _recipients(message))
    if history:
        click.echo()
        print_table(ATTEMPT_COLUMNS, [_attempt(each) for each in history])


def _recipients(message: MessageRecord) -> list[list[str]]:
    return [
        [each.address, each.state.value, str(each.attempts), each.reply or "-"]
        for each in message.recipients
    ]


def _attempt(attempt: AttemptRecord) -> list[str]:
    return [
        local_time(attempt.time),
        str(attempt.number),
        attempt.relay,
        attempt.address,
        attempt.outcome,
        attempt.reply,
    ]
