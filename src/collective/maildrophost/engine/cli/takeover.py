"""`maildropctl import`: take over the mail that waits in another queue."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import click

from . import exits
from .configured import Configured, pass_configured
from .output import messages, print_json, printable
from .parameters import QueueSource, json_option
from .progress import steps

if TYPE_CHECKING:
    from ..queue import Queue, Transferred
    from ..takeover import Left, OldMail, Taken

QUEUED, FAILED, BEFORE = "queued", "failed", "before"


@dataclass
class _Account:
    """What has become of the mail so far; of what stays, where and why."""

    count: Counter[str] = field(default_factory=Counter)
    stays: list[tuple[str, str]] = field(default_factory=list)

    def add_left(self, left: Left) -> None:
        self.stays.append((str(left.path), left.reason))

    def add(self, mail: OldMail, answer: Taken | Left) -> None:
        """Note what has become of one mail of another program."""
        from ..takeover import Left

        if isinstance(answer, Left):
            self.add_left(answer)
            return
        self.count[_what_became_of(mail, answer)] += 1
        if answer.stays is not None:
            self.add_left(answer.stays)


def _what_became_of(mail: OldMail, taken: Taken) -> str:
    if taken.id is None:
        return BEFORE
    return FAILED if mail.failed else QUEUED


@click.command("import")
@click.argument(
    "sources", metavar="PATH...", nargs=-1, required=True, type=QueueSource()
)
@json_option
@pass_configured
def import_command(
    configured: Configured, sources: tuple[Path | str, ...], as_json: bool
) -> int:
    """Take over the mail that waits in another queue.

    PATH is a spool of Products.MaildropHost, or a Maildir of zope.sendmail (MailHost's
    queue) or repoze.sendmail, or the URL of another queue of ours, as in MAILDROP_QUEUE
    (sqlite:////PATH/queue.db). First stop whatever sends from it. What was rejected
    there is failed here: see 'queue --state failed', and send it with 'retry'.

    A file is removed once its mail is in our queue. After an interruption, run the
    command again: nothing is taken twice. What cannot be taken stays, is named with the
    reason, and makes the exit status 1; so does a directory that has only other files.
    """
    configuration = configured.load()
    from ..queue import QueueError
    from ..takeover import Left, look_through

    account = _Account()
    entries = [
        entry
        for path in sources
        if isinstance(path, Path)
        for entry in look_through(path)
    ]
    for entry in entries:
        if isinstance(entry, Left):
            account.add_left(entry)
    mails = [entry for entry in entries if not isinstance(entry, Left)]
    try:
        with configured.queue() as queue:
            if mails:
                _take(queue, mails, account, configuration.add_messageid)
            for url in sources:
                if isinstance(url, str):
                    _move(url, queue, account)
    except QueueError as error:
        raise click.ClickException(
            f"{error}; what was not taken over yet stays where it is: import again"
        ) from None
    _report(account, as_json)
    return exits.FAILED if account.stays else exits.DONE


def _take(
    queue: Queue, mails: list[OldMail], account: _Account, add_messageid: bool
) -> None:
    """Take over the files of another program."""
    from ..takeover import take

    with steps("importing") as tell:
        for done, mail in enumerate(mails, 1):
            account.add(mail, take(queue, mail, add_messageid))
            tell(done, len(mails))


def _move(url: str, target: Queue, account: _Account) -> None:
    """Move the mail of another queue of ours."""
    from ..queue import State, open_queue, transfer

    with closing(open_queue(url)) as source:
        if source.same_as(target):
            raise click.ClickException(
                f"{source.name} is the queue of this configuration: name the old one"
            )
        with steps("importing") as tell:
            done = transfer(source, target, time.time(), tell)
    for state, count in done.moved.items():
        account.count[FAILED if state is State.FAILED else QUEUED] += count
    account.stays += _why_some_stay(source.name, done)


def _why_some_stay(name: str, done: Transferred) -> Iterator[tuple[str, str]]:
    from ..queue import State

    if sending := done.left.get(State.SENDING, 0):
        yield name, f"has {sending} in flight: stop its daemon, then import again"
    if prepared := done.left.get(State.PREPARED, 0):
        yield name, f"has {prepared} in doubt: decide about them, then import again"


def _report(account: _Account, as_json: bool) -> None:
    count = account.count
    if as_json:
        print_json(
            {
                QUEUED: count[QUEUED],
                FAILED: count[FAILED],
                "taken_before": count[BEFORE],
                "left": [
                    {"path": path, "reason": reason} for path, reason in account.stays
                ],
            }
        )
        return
    for path, reason in account.stays:
        click.echo(printable(f"left: {path} {reason}"), err=True)
    taken = count[QUEUED] + count[FAILED]
    words = f"{messages(taken)} taken over"
    if count[FAILED]:
        words += f", {count[FAILED]} of them failed before: see 'queue --state failed'"
    if count[BEFORE]:
        were = "was" if count[BEFORE] == 1 else "were"
        words += f"; {count[BEFORE]} {were} taken before"
    click.echo(words)
