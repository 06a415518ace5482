"""Mail that waits in the queue of the MailHost that a Maildrop Host has replaced.

No thread of Zope delivers it after the next start, so somebody has to be told.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from collective.maildrophost.engine.takeover.maildir import FOLDERS, SENDING


@dataclass(frozen=True)
class LeftMail:
    """How much there is, and the Maildir that it is in."""

    count: int
    directory: str


def left_by(mail_host: Any) -> LeftMail | None:
    """What waits in the queue of a MailHost; None when nothing does, or can be seen.

    Mail that its queue has rejected does not wait.
    """
    if not getattr(mail_host, "smtp_queue", False):
        return None
    named = getattr(mail_host, "smtp_queue_directory", None)
    if not isinstance(named, str):
        return None  # Of another kind, whose queue is no Maildir.
    directory = os.path.realpath(named)
    names = {name.removeprefix(SENDING) for name in _names(Path(directory))}
    count = sum(not name.startswith(".") for name in names)
    return LeftMail(count, directory) if count else None


def _names(directory: Path) -> Iterator[str]:
    for folder in FOLDERS:
        try:
            yield from os.listdir(directory / folder)
        except OSError:
            continue  # Not there, or not for us to read.
