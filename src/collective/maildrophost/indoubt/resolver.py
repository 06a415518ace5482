"""Decides about batches that were left in doubt, as Zope starts and while it runs."""

from __future__ import annotations

import atexit
import contextlib
import logging
import os
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from collective.maildrophost import productconfig
from collective.maildrophost.engine.actions import end_batch
from collective.maildrophost.engine.errors import MaildropError
from collective.maildrophost.engine.queue import (
    Batch,
    Queue,
    discard,
    exists,
    open_batches,
    release,
)
from collective.maildrophost.engine.system.identity import Fate, fate
from collective.maildrophost.indoubt import storagelog
from collective.maildrophost.indoubt.decision import Decision, Known, decide
from collective.maildrophost.indoubt.doubt import Doubt
from collective.maildrophost.indoubt.endings import (
    Ending,
    known_here,
    made_up_for,
    urls_left_undone,
)
from collective.maildrophost.queues import queue_at

LOOK_SECONDS = 10.0
END_SECONDS = 2.0
"""For a look that is under way when the process ends."""

logger = logging.getLogger("maildrop.zope")


class Resolver:
    """Decides about the batches of queues, by the logs of named databases."""

    def __init__(
        self, databases: Mapping[str, Any], urls: Callable[[], Iterable[str]]
    ) -> None:
        self._databases = databases
        self._urls = urls
        self._doubts: dict[str, dict[str, Doubt]] = {}
        self._failing: set[str] = set()

    def look(self) -> None:
        """Decide what can be decided now; a queue's trouble is logged once."""
        for url in set(self._urls()):
            # Whatever is wrong with one, the others are looked at.
            try:
                if exists(url):
                    self._resolve(queue_at(url))
                self._failing.discard(url)
            except Exception as error:
                if url not in self._failing:
                    _tell(error)
                self._failing.add(url)

    def _resolve(self, queue: Queue) -> None:
        # Before the queue is read: what had ended here by then and is not prepared in
        # the queue needs no last step any more.
        here = known_here(queue.url)
        with queue.read() as tx:
            batches = open_batches(tx)
        made_up_for(queue.url, here.keys() - {each.batch for each in batches})
        over = _over(queue, batches, here)
        doubts = self._remembered(queue, over)
        now = time.monotonic()
        settled = {
            # Who has no log leaves it to a Zope that has one.
            each: doubts[each.batch].is_settled(its_fate, now) and bool(self._databases)
            for each, its_fate in over.items()
        }
        self._ask_logs(here, doubts, settled, now)
        for each, its_fate in over.items():
            doubt = doubts[each.batch]
            known = Known(
                batch=each,
                fate=its_fate,
                here=here.get(each.batch),
                logged=doubt.told,
                settled=settled[each],
                had_its_time=doubt.had_its_time(now),
            )
            _act(queue, each, decide(known), doubt)

    def _remembered(self, queue: Queue, batches: Iterable[Batch]) -> dict[str, Doubt]:
        """The doubt about each of these; that about any other batch is forgotten."""
        before = self._doubts.get(queue.url, {})
        doubts = {each.batch: before.get(each.batch) or Doubt() for each in batches}
        self._doubts[queue.url] = doubts
        return doubts

    def _ask_logs(
        self,
        here: Mapping[str, Ending],
        doubts: Mapping[str, Doubt],
        settled: Mapping[Batch, bool],
        now: float,
    ) -> None:
        # The answers are kept for a later look, should this one be unable to write.
        ask = [
            each
            for each, is_settled in settled.items()
            if each.voted
            and here.get(each.batch) in (None, Ending.UNKNOWN)
            and doubts[each.batch].asks(is_settled, now)
        ]
        logs = {each.batch: each.log for each in ask}
        told = storagelog.endings(self._databases, logs) if ask else {}
        for each in ask:
            doubts[each.batch].hear(told[each.batch], settled[each], now)


def _tell(error: Exception) -> None:
    if isinstance(error, MaildropError):
        logger.warning("%s; batches in doubt stay prepared", error)
    else:
        logger.error("unexpected error while deciding about batches", exc_info=error)


def _over(
    queue: Queue, batches: Iterable[Batch], here: Mapping[str, Ending]
) -> dict[Batch, Fate]:
    """The batches whose transaction may be over, with the fate of their processes."""
    # A queue that is not shared was never used by another machine.
    fates = {each: fate(each.process, here=not queue.shared) for each in batches}
    over = {
        each: its_fate
        for each, its_fate in fates.items()
        if each.batch in here or its_fate is not Fate.RUNNING
    }
    if not over:
        return over
    # A process that has died may have voted, and committed, since its batch was read:
    # then a later look decides.
    with queue.read() as tx:
        unchanged = set(open_batches(tx))
    return {each: over[each] for each in over if each in unchanged}


def _act(queue: Queue, batch: Batch, decision: Decision, doubt: Doubt) -> None:
    if decision is Decision.RELEASE:
        count = end_batch(queue, batch.batch, release)
        logger.warning(
            "batch %s: its transaction has committed: its %d mails are released",
            batch.batch,
            count,
        )
    elif decision is Decision.DISCARD:
        count = end_batch(queue, batch.batch, discard)
        logger.warning(
            "batch %s: its transaction has not committed: its %d mails are deleted",
            batch.batch,
            count,
        )
    elif decision is Decision.PERSON and not doubt.left_to_a_person:
        doubt.left_to_a_person = True
        logger.error(
            "batch %s: nobody can tell whether its transaction has committed. "
            "Release or discard it, in the control panel or in the Queue tab of "
            "the Maildrop Host; where several sites share the queue, first start "
            "the Zope that has sent it: its log may tell",
            batch.batch,
        )


def _queue_urls() -> set[str]:
    """The queues of all configurations that can be read."""
    urls = set()
    for key in productconfig.configurations():
        try:
            urls.add(productconfig.configuration(key).queue)
        except MaildropError:
            continue  # Whoever sends with it is told.
    return urls


def start(event: Any) -> None:
    """Start a thread that looks now and every so often; for IDatabaseOpenedWithRoot."""
    looks = _Looks(Resolver(event.database.databases, _queue_urls))
    looks.begin()
    _of_zope.append(looks)
    atexit.register(looks.end)


def make_up() -> None:
    """Look from now on, since this process has left a last step undone.

    Nobody else makes up for it: all others see that this process lives, and wait. It
    may have no thread that looks: a forked child inherits none, and in a program that
    opens a ZODB by itself no Zope starts one.
    """
    for looks in _of_zope or [_without_zope]:
        # A transaction that has committed does not fail because no thread can start.
        with contextlib.suppress(RuntimeError):
            looks.begin()


class _Looks:
    """The thread of a process that looks again and again."""

    def __init__(self, resolver: Resolver) -> None:
        self._resolver = resolver
        self._threads: dict[int, _Thread] = {}
        """By process id: a forked child has its parent's entry, too."""

    def begin(self) -> None:
        """Have this process look from now on, unless it does already."""
        mine = _Thread(self._resolver)
        # In one step: with the queue out of reach, many threads come here at once.
        if self._threads.setdefault(os.getpid(), mine) is not mine:
            return
        try:
            mine.start()
        except RuntimeError:
            del self._threads[os.getpid()]
            raise

    def end(self) -> None:
        """Look no more in this process; a look that is under way may end."""
        thread = self._threads.get(os.getpid())
        if thread is not None:
            thread.end()


class _Thread(threading.Thread):
    """Looks again and again, until it is told to end."""

    # A daemon thread, since a look may take as long as a server that does not answer.
    # But one that still works while the interpreter is taken down can hang it: the main
    # thread may hand the GIL to it, and it ends without (CPython's issue 96387).

    def __init__(self, resolver: Resolver) -> None:
        super().__init__(name="maildrop-batches", daemon=True)
        self._resolver = resolver
        self._told_to_end = threading.Event()

    def run(self) -> None:
        while not self._told_to_end.is_set():
            try:
                self._resolver.look()
            except Exception:
                # The thread goes on: what is in doubt stays prepared meanwhile.
                logger.exception("unexpected error while deciding about batches")
            self._told_to_end.wait(LOOK_SECONDS)

    def end(self) -> None:
        self._told_to_end.set()
        with contextlib.suppress(RuntimeError):  # it has not been started yet
            self.join(END_SECONDS)


_of_zope: list[_Looks] = []
_without_zope = _Looks(Resolver({}, urls_left_undone))
"""It reads no log: of what others have left, it ends only what has never voted."""
atexit.register(_without_zope.end)
