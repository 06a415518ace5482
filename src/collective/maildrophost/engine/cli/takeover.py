"""`maildropctl import`: take over the mail in another program's queue."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

import click

from . import exits
from .configured import Configured, pass_configured
from .output import print_json, printable
from .parameters import json_option
from .progress import progress

if TYPE_CHECKING:
    from ..takeover import Left, OldMail, Taken

_DIRECTORY = click.Path(exists=True, file_okay=False, path_type=Path)
QUEUED, FAILED, BEFORE = "queued", "failed", "before"


@click.command("import")
@click.argument("paths", metavar="PATH...", nargs=-1, required=True, type=_DIRECTORY)
@json_option
@pass_configured
def import_command(
    configured: Configured, paths: tuple[Path, ...], as_json: bool
) -> int:
    """Take over the mail that waits in another queue.

    PATH is a spool of Products.MaildropHost, or a Maildir of zope.sendmail (MailHost's
    queue) or repoze.sendmail. Stop what has sent from it until now. What was rejected
    there is failed here: see 'queue --state failed', send it with 'retry'.

    A file goes once its mail is in our queue. Cut off at any moment, run it again:
    nothing is taken twice. What cannot be taken stays, is named with the reason and
    makes the exit status 1.
    """
    configuration = configured.load()
    from ..queue import QueueError
    from ..takeover import Left, look_through, take

    found = [each for path in paths for each in look_through(path.absolute())]
    left = [each for each in found if isinstance(each, Left)]
    mails = [each for each in found if not isinstance(each, Left)]
    count: Counter[str] = Counter()
    try:
        with configured.queue() as queue, progress(mails, "importing") as going:
            for mail in going:
                answer = take(queue, mail, configuration.add_messageid)
                if isinstance(answer, Left):
                    left.append(answer)
                    continue
                count[_became(mail, answer)] += 1
                if answer.stays is not None:
                    left.append(answer.stays)
    except QueueError as error:
        done = sum(count.values())
        raise click.ClickException(
            f"{error}; {done} of {len(mails)} messages were taken over, the others "
            "stay where they are: import again"
        ) from None
    _report(count, left, as_json)
    return exits.FAILED if left else exits.DONE


def _became(mail: OldMail, answer: Taken) -> str:
    if answer.id is None:
        return BEFORE
    return FAILED if mail.failed else QUEUED


def _report(count: Counter[str], left: list[Left], as_json: bool) -> None:
    if as_json:
        print_json(
            {
                QUEUED: count[QUEUED],
                FAILED: count[FAILED],
                "taken_before": count[BEFORE],
                "left": [
                    {"path": str(each.path), "reason": each.reason} for each in left
                ],
            }
        )
        return
    for each in left:
        click.echo(printable(f"left: {each.path} {each.reason}"), err=True)
    taken = count[QUEUED] + count[FAILED]
    words = f"{taken} {'message' if taken == 1 else 'messages'} taken over"
    if count[FAILED]:
        words += f", {count[FAILED]} of them failed before: see 'queue --state failed'"
    if count[BEFORE]:
        words += f"; {count[BEFORE]} were taken before, their files are gone now"
    click.echo(words)
