"""Removes the files whose mail is in the queue, and then forgets their identities.

An identity is forgotten once the removal is on disk: file systems give the inode of a
removed file to the next one. The identity of a file that cannot be removed is kept for
as long as it is there.
"""

from __future__ import annotations

import os
import time

from ..queue import Queue, forget_files
from ..system.disk import sync_names
from ..systemwords import reason
from .droppedfile import Identity, condition, was_removed
from .reports import Reports

FORGOTTEN_AT_ONCE = 100
"""Removed files; when the daemon is killed first, up to so many keys stay behind."""


class Removal:
    """The removal of the files that one intake has taken, or has found taken."""

    def __init__(self, queue: Queue, reports: Reports) -> None:
        self._queue = queue
        self._reports = reports
        self._removed: list[Identity] = []
        self._kept: dict[Identity, int] = {}  # what can't be removed, with its device

    def remove(self, identity: Identity, found: os.stat_result, id: str | None) -> None:
        """Remove a file that is message `id` now; None: it was taken before."""
        try:
            # What is at the path now may be another file: only this one may go.
            if Identity.of(identity.path, os.lstat(identity.path)) == identity:
                os.unlink(identity.path)
        except FileNotFoundError:
            pass  # another daemon, which found it taken as well, was faster
        except OSError as error:
            self._kept[identity] = found.st_dev
            what = "was taken before" if id is None else f"is message {id} now"
            words = f"{what}, but its file cannot be removed: {reason(error)}"
            self._reports.make(identity.path, condition(identity.path, found), words)
            return
        self._kept.pop(identity, None)
        self._removed.append(identity)

    def notice_removed(self) -> None:
        """Count kept files as removed where somebody else has removed them."""
        gone = [
            each for each, device in self._kept.items() if was_removed(each, device)
        ]
        for each in gone:
            del self._kept[each]
        self._removed += gone

    @property
    def is_full(self) -> bool:
        """Whether there are enough removed files to be forgotten together."""
        return len(self._removed) >= FORGOTTEN_AT_ONCE

    def forget(self) -> None:
        """Forget the removed files. Raises QueueError; the next call tries again."""
        if not self._removed:
            return
        directories = {os.path.dirname(each.path) for each in self._removed}
        # A power cut may bring back files whose removal was not synced: their keys stay
        # for some days.
        synced = {directory for directory in directories if sync_names(directory)}
        sure: list[str] = []
        doubtful: list[str] = []
        for each in self._removed:
            is_sure = os.path.dirname(each.path) in synced
            (sure if is_sure else doubtful).append(each.key)
        with self._queue.write() as tx:
            forget_files(tx, sure, doubtful, time.time())
        self._removed.clear()
