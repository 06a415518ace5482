"""Takes an old mail into our queue once, wherever and however often it is cut off.

The mail becomes a message in one transaction that also records its key; only then are
its files removed. After a cut in between, the next run finds the key and removes them.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from pathlib import Path

from ..doorbell import ring
from ..errors import MaildropError
from ..intake import QUIET_SECONDS
from ..intake.candidates import LOCK_SUFFIX, check_size
from ..intake.droppedfile import opened
from ..intake.reports import storable
from ..message import InvalidMessage, compose
from ..queue import Queue, Refused, doorbells, import_mail
from ..systemwords import reason
from . import maildir, spool
from .oldmail import Left, OldMail, Taken

TAKEN_AWAY = (
    "was taken away meanwhile and not imported: by a daemon, which has its mail in its "
    "queue, or by somebody else"
)


class NothingToTake(MaildropError):
    """A directory that cannot be the queue of another program."""


def look_through(directory: Path) -> Iterator[OldMail | Left]:
    """Every mail in an old queue, the oldest first.

    A directory that is no Maildir and has files, but none of a spool's, is itself Left.
    Raises NothingToTake when it cannot be read.
    """
    # Its real path, whatever links lead to it: a mail that was taken is known by that.
    directory = Path(os.path.realpath(directory))
    try:
        if maildir.is_maildir(directory):
            yield from maildir.find(directory)
            # A spool that holds a folder of such a name is a spool all the same.
            yield from spool.find(directory)
        else:
            yield from list(spool.find(directory)) or _no_queue(directory)
    except OSError as error:
        raise NothingToTake(f"{directory} cannot be read: {reason(error)}") from None


def _no_queue(directory: Path) -> Iterator[Left]:
    others = len(list(spool.candidates(directory, os.listdir(directory))))
    if not others:
        return
    files = "file" if others == 1 else "files"
    why = f"has nothing that looks like queued mail ({others} other {files})"
    if directory.name in maildir.FOLDERS:
        why += f": the Maildir that it is a part of would be {directory.parent}"
    yield Left(directory, why)


def take(queue: Queue, mail: OldMail, add_message_id: bool) -> Taken | Left:
    """Take one mail over; Left: it cannot be taken.

    Raises QueueError when the queue cannot be written: the mail stays.
    """
    try:
        data = _read(mail)
        if data is None:
            return Left(mail.path, "is being written: import again")
        found = mail.open(data)
        message = compose(
            found.content,
            found.sender,
            found.recipients,
            lane=found.lane,
            at=found.at,
            add_message_id=add_message_id,
            now=time.time(),
        )
    except InvalidMessage as error:
        return Left(mail.path, str(error))
    except OSError as error:
        return Left(mail.path, reason(error))
    now = time.time()
    try:
        with queue.write() as tx:
            id = import_mail(
                tx,
                mail.key(data),
                message,
                now,
                origin=f"import of {storable(mail.path)}",
                failed=mail.failed,
                possible_duplicate=mail.possible_duplicate,
            )
            if id is not None and not mail.unchanged:
                # A daemon has taken, removed and forgotten it since.
                raise FileNotFoundError
            bells = doorbells(tx)
    except FileNotFoundError:
        return Left(mail.path, TAKEN_AWAY)
    except OSError as error:
        return Left(mail.path, reason(error))
    except Refused as error:
        return Left(mail.path, error.reason)
    ring(bells)
    return Taken(id, _remove(mail, id))


def _read(mail: OldMail) -> bytes | None:
    """All of the mail; None when it was written to, or replaced, since it was found.

    Waits until that is QUIET_SECONDS ago: for the first mail of an import alone, as all
    of them are found before that.
    """
    check_size(mail.found)
    # Its own times do not count: they are those of a clock that may have been set.
    time.sleep(max(0.0, mail.seen + QUIET_SECONDS - time.monotonic()))
    try:
        with opened(str(mail.path), mail.found) as file:
            data = file.readall()
            if not mail.unchanged or _is_locked(mail.path):
                return None
            # As with a dropped file, a power cut could bring a part of it back, which
            # would be another mail.
            os.fsync(file.fileno())
            return data
    except FileNotFoundError:
        if not os.path.lexists(mail.path):
            raise
        return None


def _is_locked(path: Path) -> bool:
    return path.with_name(path.name + LOCK_SUFFIX).exists()


def _remove(mail: OldMail, id: str | None) -> Left | None:
    for path in mail.files:
        try:
            # Where the first file was there may be another mail by now.
            if path != mail.path or mail.unchanged:
                path.unlink(missing_ok=True)
        except FileNotFoundError:
            continue
        except OSError as error:
            what = "was taken over before" if id is None else f"is message {id} now"
            return Left(
                path,
                f"{what}, but the file cannot be removed ({reason(error)}): remove "
                "it by hand, else it is taken again in some days",
            )
    return None
