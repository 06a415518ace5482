"""The configuration is read again, and used if a daemon can go on with it."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
from collections.abc import Callable

from ..config import Configuration, ConfigurationError, load
from ..delivery import Route
from ..errors import MaildropError
from ..queue import Queue, QueueError, check_schema, open_queue, queue_length
from ..wording import verbatim
from .directories import check_files, make_directories

log = logging.getLogger("maildrop.daemon")


class Reload:
    """Asked for at any time, however often: the last one counts.

    `cannot_write`: whether verdicts may wait for the queue at this moment. `refused`
    is told why a configuration can't be used.
    """

    def __init__(
        self,
        in_use: Configuration,
        queue: Queue,
        cannot_write: Callable[[], bool],
        refused: Callable[[MaildropError], None],
    ) -> None:
        self._in_use = in_use
        self._queue = queue
        self._cannot_write = cannot_write
        self._refused = refused
        self._asked = asyncio.Event()

    def ask(self) -> None:
        """The configuration may have changed."""
        self._asked.set()

    async def run(self, go_on_with: Callable[[Configuration], None]) -> None:
        """Load whenever it is asked for, until cancelled."""
        while True:
            await self._asked.wait()
            self._asked.clear()
            try:
                loaded = await self._load()
            except asyncio.CancelledError:
                self._asked.set()
                raise
            if loaded is not None:
                go_on_with(loaded)

    async def late(self) -> Configuration | None:
        """What was asked for after `run` had ended; None: nothing that can be used."""
        return await self._load() if self._asked.is_set() else None

    async def _load(self) -> Configuration | None:
        """The configuration as it is now; None if it can't be used, and why is told."""
        try:
            # Mail goes on while a database server takes its time.
            loaded = await asyncio.to_thread(_load_usable, self._in_use, self._queue)
            self._check_verdicts_are_written(loaded)
            return loaded
        except MaildropError as error:
            log.error("%s; the old configuration stays in force", error)
            self._refused(error)
            return None

    def _check_verdicts_are_written(self, loaded: Configuration) -> None:
        # A reload would give them up after MAILDROP_STOP_TIMEOUT, and then find no
        # queue to start on.
        if self._cannot_write() and loaded.queue == self._queue.url:
            words = "it cannot be written now, and what waits for it would be lost"
            raise QueueError(self._queue.name, verbatim(words))


def _load_usable(in_use: Configuration, queue: Queue) -> Configuration:
    """What `in_use` has become; its directories, its log and its queue are there.

    `queue` is the one in use: if its file is gone, no new one is made in its place.
    Raises ConfigurationError, UnusableDirectory or QueueError, which say why not.
    """
    configuration = load(in_use.path)
    _check_is_found_again(in_use, configuration)
    Route.of(configuration)
    make_directories(configuration)
    check_files(configuration)
    if configuration.queue == queue.url:
        check_schema(queue)
        return configuration
    open_queue(configuration.queue).close()
    _tell_of_mail_left(queue)
    return configuration


def _tell_of_mail_left(queue: Queue) -> None:
    # This queue may have been replaced by another because it cannot be read.
    with contextlib.suppress(QueueError), queue.read() as tx:
        if left := queue_length(tx):
            log.warning(
                "%d messages are in %s, where no daemon with this configuration sends "
                "them any more: 'maildropctl import' with that URL moves them",
                left,
                queue.name,
            )


def tell_of_files_left(before: Configuration, now: Configuration) -> None:
    """Log how many mails are in what is no drop directory any more."""
    from ..takeover import spool  # not worth its time in a daemon that never reloads

    watched = {os.path.realpath(each) for each in now.spool}
    for directory in before.spool:
        if os.path.realpath(directory) in watched:
            continue
        # One that was removed has none.
        with contextlib.suppress(OSError):
            if left := sum(1 for _ in spool.find(directory)):
                log.warning(
                    "%d mails are in %s, which is no drop directory of this "
                    "configuration any more: 'maildropctl import %s' takes them over",
                    left,
                    directory,
                    directory,
                )


def _check_is_found_again(in_use: Configuration, changed: Configuration) -> None:
    """Raise ConfigurationError when `stop` would look for the daemon elsewhere."""
    for option, before, now in (
        ("MAILDROP_VAR", in_use.var, changed.var),
        ("MAILDROP_PID_FILE", in_use.pid_file, changed.pid_file),
    ):
        if now != before:
            raise ConfigurationError(
                in_use.path,
                None,
                option,
                verbatim(
                    f"only a restart can change it from {before}, and 'stop' finds the "
                    "daemon only before the change"
                ),
            )
