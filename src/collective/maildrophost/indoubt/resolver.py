"""Decides about batches that were left in doubt, as Zope starts and while it runs."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from typing import Any, NamedTuple

from collective.maildrophost import productconfig
from collective.maildrophost.engine.actions import discard_batch, release_batch
from collective.maildrophost.engine.errors import MaildropError
from collective.maildrophost.engine.identity import Fate, fate
from collective.maildrophost.engine.queue import Batch, Queue, exists, open_batches
from collective.maildrophost.indoubt import storagelog
from collective.maildrophost.indoubt.decision import Decision, decide
from collective.maildrophost.indoubt.endings import Ending, ended_here, forget
from collective.maildrophost.queues import queue_at

LOOK_SECONDS = 10.0
SETTLE_SECONDS = 10.0
"""What a process has asked a ZEO or database server to commit may be done after its
death: a log without its transaction is believed so long after that was noticed."""
ASK_AGAIN_SECONDS = 3600.0
"""A log may be long, and says the same again unless it was in trouble."""

logger = logging.getLogger("maildrop.zope")


class _Told(NamedTuple):
    """What the logs have told of a batch, and when (seconds of the monotonic clock)."""

    ending: Ending
    at: float


class Resolver:
    """Asks the logs of these databases, by their names, about the batches of queues."""

    def __init__(
        self, databases: Mapping[str, Any], urls: Callable[[], Iterable[str]]
    ) -> None:
        self._databases = databases
        self._urls = urls
        self._over: dict[str, float] = {}
        self._told: dict[tuple[str, bool], _Told] = {}
        self._left: set[str] = set()
        self._failing: set[str] = set()

    def look(self) -> None:
        """Decide what can be decided now; a queue in trouble is told of once."""
        for url in set(self._urls()):
            try:
                if exists(url):
                    self._resolve(queue_at(url))
                self._failing.discard(url)
            except MaildropError as error:
                if url not in self._failing:
                    logger.warning("%s; batches in doubt stay prepared", error)
                self._failing.add(url)

    def _resolve(self, queue: Queue) -> None:
        # Before the queue is read: what has ended by then is not prepared in it.
        here = ended_here(queue.url)
        with queue.read() as tx:
            batches = open_batches(tx)
        # A queue that is not shared was never used by another machine.
        fates = {each: fate(each.process, here=not queue.shared) for each in batches}
        over = [
            each
            for each in batches
            if each.batch in here or fates[each] is not Fate.RUNNING
        ]
        settled = {each.batch: self._is_settled(each, fates[each]) for each in over}
        logged = self._logged(over, settled)
        for each in over:
            known, told = here.get(each.batch), logged.get(each.batch)
            decision = decide(each, fates[each], known, told)
            # Only what could not have been committed at all need not settle.
            sure = Decision.RELEASE is decision or known is Ending.ABORTED
            if sure or not each.voted or settled[each.batch]:
                self._act(queue, each, decision)

    def _is_settled(self, batch: Batch, fate: Fate) -> bool:
        # Whose end is not known may still ask for something.
        if fate is Fate.UNKNOWN:
            return False
        now = time.monotonic()
        return now - self._over.setdefault(batch.batch, now) >= SETTLE_SECONDS

    def _logged(
        self, batches: Iterable[Batch], settled: Mapping[str, bool]
    ) -> dict[str, Ending]:
        """What the logs tell of those that their own process will not end.

        Now or before: what cannot be written at this look is decided at a later one.
        """
        now = time.monotonic()
        keys = {each: (each.batch, settled[each.batch]) for each in batches}
        ask = [each for each in batches if each.voted and self._asks(keys[each], now)]
        logs = {each.batch: each.log for each in ask}
        found = storagelog.endings(self._databases, logs) if ask else {}
        for each in ask:
            self._told[keys[each]] = _Told(found[each.batch], now)
        return {
            each.batch: self._told[key].ending
            for each, key in keys.items()
            if key in self._told
        }

    def _asks(self, key: tuple[str, bool], now: float) -> bool:
        told = self._told.get(key)
        return told is None or (
            told.ending is Ending.UNKNOWN and now - told.at >= ASK_AGAIN_SECONDS
        )

    def _act(self, queue: Queue, batch: Batch, decision: Decision) -> None:
        if decision is Decision.RELEASE:
            count = release_batch(queue, batch.batch)
            words = "its transaction has committed: its %d mails are released"
        elif decision is Decision.DISCARD:
            count = discard_batch(queue, batch.batch)
            words = "its transaction has not committed: its %d mails are deleted"
        else:
            if decision is Decision.PERSON and batch.batch not in self._left:
                self._left.add(batch.batch)
                logger.error(
                    "batch %s: nobody can tell whether its transaction has committed. "
                    "Release or discard it in the Queue tab of the Maildrop Host",
                    batch.batch,
                )
            return
        forget(queue.url, batch.batch)
        for settled in (False, True):
            self._told.pop((batch.batch, settled), None)
        logger.warning("batch %s: " + words, batch.batch, count)


def _queues() -> set[str]:
    """The URLs of all configurations that can be read."""
    urls = set()
    for key in productconfig.configurations():
        try:
            urls.add(productconfig.configuration(key).queue)
        except MaildropError:
            continue  # Whoever sends with it is told.
    return urls


def start(event: Any) -> None:
    """Look now, and from now on in a thread; for IDatabaseOpenedWithRoot."""
    resolver = Resolver(event.database.databases, _queues)
    threading.Thread(
        target=_run, args=(resolver,), name="maildrop-batches", daemon=True
    ).start()


def _run(resolver: Resolver) -> None:
    while True:
        try:
            resolver.look()
        except Exception:
            # The thread goes on: what is in doubt stays prepared meanwhile.
            logger.exception("unexpected error while deciding about batches")
        time.sleep(LOOK_SECONDS)
