"""Takes dropped mail files into the queue, each exactly once.

A file becomes a message in one transaction that also records the file's identity; only
then is the file removed. After a cut in between, the next scan finds the identity taken
and removes the file without queueing it again.
"""

from __future__ import annotations

import logging
import os
import stat
import threading
import time
from collections.abc import Iterator, Sequence
from io import FileIO
from pathlib import Path

from ..doorbell import ring
from ..message import InvalidMessage, Message, compose, mailfile
from ..queue import Queue, QueueError, Refused, doorbells, take_file
from ..unquoted import unquoted
from ..wording import verbatim
from .candidates import (
    LOCK_SUFFIX,
    check_size,
    may_be_mail,
    queue_files,
    starts_as_mail,
)
from .droppedfile import Identity, condition, is_still, not_there, opened
from .removal import Removal
from .reports import Reports, storable

log = logging.getLogger("maildrop.intake")

QUIET_SECONDS = 1.0
"""A file without a lock is complete when it has not changed for so long."""


class Untaken(QueueError):
    """A file that the queue did not take, while it may take others."""


class Intake:
    """Watches the drop directories of one configuration."""

    def __init__(
        self, queue: Queue, directories: Sequence[Path], add_message_id: bool
    ) -> None:
        self._queue = queue
        self._directories = tuple(directories)
        self._add_message_id = add_message_id
        self._first_seen: dict[Identity, float] = {}
        self._reports = Reports()
        self._removal = Removal(queue, self._reports)
        self._stopped = threading.Event()
        self._scans = 0
        self._failed: Untaken | None = None
        self._unreadable = False
        self._first_look: float | None = None
        self.looked_through = False
        """Whether each file that was there at the start has had its turn."""

    def scan(self) -> int:
        """Take every complete file; returns how many messages were queued.

        `stop` ends it before the next file. Raises QueueError when the queue can't be
        written: the files stay. Raises Untaken when some file was not taken, while the
        others had their turn.
        """
        self._scans += 1
        self._failed, self._unreadable = None, False
        self._removal.forget()
        began = time.monotonic()
        seen: set[Identity] = set()
        present: set[str] = set()
        taken = 0
        for path in self._paths():
            present.add(path)
            taken += self._consider(path, seen)
            if self._removal.is_full:
                self._removal.forget()
        self._judge_look(began)
        self._first_seen = {
            each: when for each, when in self._first_seen.items() if each in seen
        }
        self._reports.keep_only(present | set(map(str, self._directories)))
        self._removal.notice_removed()
        self._removal.forget()
        if self._failed is not None:
            raise self._failed
        return taken

    def stop(self) -> None:
        """Take no more files; called by another thread than the one that scans."""
        self._stopped.set()

    @property
    def waits(self) -> bool:
        """Whether a file was seen that may be complete soon."""
        return bool(self._first_seen)

    def _paths(self) -> Iterator[str]:
        for directory in self._directories:
            for path in self._candidates(directory):
                if self._stopped.is_set():
                    return
                yield path

    def _candidates(self, directory: Path) -> list[str]:
        """What may be mail in a directory."""
        try:
            with os.scandir(directory) as entries:
                names = sorted(entry.name for entry in entries)
        except OSError as error:
            self._reports.make(str(directory), str(error), f"cannot be read: {error}")
            self._unreadable = True
            return []
        self._reports.forget(str(directory))
        known = set(names)
        others = queue_files(self._queue.path, directory)
        # Its real path, whatever links lead to it: a file that was taken is known by
        # its path.
        place = os.path.realpath(directory)
        return [
            os.path.join(place, name)
            for name in names
            if may_be_mail(name)
            and name not in others
            and name + LOCK_SUFFIX not in known
        ]

    def _judge_look(self, began: float) -> None:
        """Note whether all have had their turn; the scan `began` then (monotonic)."""
        if self._unreadable or self._failed is not None or self._stopped.is_set():
            return
        self._first_look = self._first_look or time.monotonic()
        if began - self._first_look >= QUIET_SECONDS:
            self.looked_through = True

    def _consider(self, path: str, seen: set[Identity]) -> int:
        """Take a file if it is due; a bad one is reported once, the others go on."""
        try:
            found = os.lstat(path)
        except OSError:
            return 0  # another daemon, or a person, took it away
        try:
            return self._take_if_complete(path, found, seen)
        except FileNotFoundError:
            pass  # another daemon, or a person, took it away
        except BlockingIOError:
            pass  # a lease on it is being given back: the next scan finds it free
        except (InvalidMessage, OSError, Refused) as error:
            self._leave(path, found, str(error))
        except QueueError:
            raise
        except Exception as error:
            # The type alone: the text of an unknown error may quote the message.
            words = f"unexpected error ({type(error).__name__})"
            self._leave(path, found, words, unquoted(error))
        return 0

    def _take_if_complete(
        self, path: str, found: os.stat_result, seen: set[Identity]
    ) -> int:
        # A socket is the daemon's own where MAILDROP_VAR is a drop directory.
        if stat.S_ISDIR(found.st_mode) or stat.S_ISSOCK(found.st_mode):
            return 0
        identity = Identity.of(path, found)
        if self._reports.stand(path, condition(path, found)):
            return 0
        if not stat.S_ISREG(found.st_mode):
            raise InvalidMessage(
                "only regular files are taken, no links, pipes or the like"
            )
        with opened(path, found) as file:
            if not starts_as_mail(file):
                return 0
            check_size(found)
            complete = self._complete(identity, found)
            message = self._read(file, path, found) if complete else None
        taken = 0 if message is None else self._take(identity, found, message)
        if not taken:
            seen.add(identity)
        return taken

    def _leave(
        self,
        path: str,
        found: os.stat_result,
        reason: str,
        error: BaseException | None = None,
    ) -> None:
        # About this very file: another one may soon be in its place.
        about = condition(path, found)
        self._reports.make(path, about, f"is left where it is: {reason}", error)

    def _complete(self, identity: Identity, found: os.stat_result) -> bool:
        # What was there at the start is judged by its own times, at once. Later files
        # are judged by how long this process has watched them: where a clock jumps, or
        # a file server's differs, a file that is just being written may look old.
        if self._scans == 1 and _age(found) >= QUIET_SECONDS:
            return True
        first = self._first_seen.setdefault(identity, time.monotonic())
        return time.monotonic() - first >= QUIET_SECONDS

    def _read(self, file: FileIO, path: str, found: os.stat_result) -> Message | None:
        """Its mail; None while somebody writes to it."""
        data = file.readall()
        if not is_still(path, found) or os.path.exists(path + LOCK_SUFFIX):
            return None
        # Its writer may not have synced it: after its removal a power cut could bring
        # back a part of it, with another size and so as another mail.
        os.fsync(file.fileno())
        dropped = mailfile.parse(data)
        del data  # A large file would be in memory once more while it is queued.
        return compose(
            dropped.content,
            dropped.sender,
            dropped.recipients,
            lane=dropped.lane,
            at=dropped.at,
            add_message_id=self._add_message_id,
            now=time.time(),
        )

    def _take(self, identity: Identity, found: os.stat_result, message: Message) -> int:
        path = identity.path
        begun = False
        try:
            with self._queue.write() as tx:
                begun = True
                id = take_file(tx, identity.key, message, time.time())
                if id is not None and not is_still(path, found):
                    # Another daemon has taken, removed and forgotten it since.
                    raise not_there(path)
                bells = doorbells(tx)
        except QueueError as error:
            if isinstance(error, Refused) or not begun:
                raise  # The next file would only wait for the dead queue as well.
            # It may be due to this mail's size, say, on a disk that is nearly full.
            words = verbatim(f"taking {storable(path)}: {error.reason}")
            self._failed = self._failed or Untaken(error.queue, words)
            # The next scan need not watch it again before it takes it.
            self._first_seen.setdefault(identity, time.monotonic() - QUIET_SECONDS)
            return 0
        if id is not None:
            log.info("id=%s taken from %s", id, storable(path))
            ring(bells)
        self._removal.remove(identity, found, id)
        return int(id is not None)


def _age(found: os.stat_result) -> float:
    """In seconds since it was changed in any way, as far as the clocks are right."""
    return time.time() - max(found.st_mtime, found.st_ctime)
