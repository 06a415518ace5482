"""The mail of a transaction takes part in it as a data manager.

The two phases, and why our sort key starts with "~maildrop":

- After every ZODB storage (their keys are paths and host names, which sort below "~"):
  conflicts are found before we write anything, and our release follows ZODB's finish.
  A crash between the two leaves the batch prepared, for ZODB's log to decide; in the
  opposite order mail would be sent for a transaction that never committed.
- Before "~sqlalchemy" of zope.sqlalchemy, which commits a one-phase database in its
  vote: a queue that cannot be written says no before that commit.

The queue holds no lock from one phase to the next, so no order can make a deadlock.
"""

from __future__ import annotations

import enum
import logging
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

import transaction
from Products.MailHost.MailHost import MailHostError
from transaction.interfaces import ISavepointDataManager
from zope.interface import implementer

from collective.maildrophost.engine.doorbell import ring
from collective.maildrophost.engine.message import Message
from collective.maildrophost.engine.queue import (
    Batch,
    Transaction,
    check_whole,
    discard,
    doorbells,
    enqueue,
    new_batch,
    prepare,
    release,
    remember_batch,
)
from collective.maildrophost.engine.system.identity import own_identity
from collective.maildrophost.indoubt import endings, resolver, storagelog
from collective.maildrophost.indoubt.endings import Ending
from collective.maildrophost.queues import queue_at
from collective.maildrophost.refusal import as_mailhost_error
from collective.maildrophost.transaction.participants import (
    everybody_voted,
    participants,
)
from collective.maildrophost.transaction.savepoint import SpoolSavepoint
from collective.maildrophost.transaction.unended import watch
from collective.maildrophost.transaction.unwritten import Unwritten

SPILL_MESSAGES = 500
SPILL_BYTES = 4 * 1024 * 1024
"""What a transaction keeps in memory, at most, beside the mail it adds next."""

logger = logging.getLogger("maildrop.zope")


class _Stage(enum.Enum):
    OPEN = enum.auto()
    VOTED = enum.auto()
    QUEUED = enum.auto()
    """In one step, by the vote: it is sent whatever becomes of the transaction."""
    ENDED = enum.auto()


@implementer(ISavepointDataManager)
class SpoolDataManager:
    """The mail of one transaction for one queue: a batch.

    Every method is called by the thread of its transaction.
    """

    transaction_manager = transaction.manager

    def __init__(self, url: str) -> None:
        self.batch = new_batch()
        self._url = url
        self._stage = _Stage.OPEN
        self._unwritten = Unwritten()
        watch(self, self._unwritten)
        self._prepared = 0
        self._writer = 0  # pid of the process that wrote first
        self._unsure = False  # whether more may be prepared than `_prepared` says
        self._bells: tuple[str, ...] = ()

    def __repr__(self) -> str:
        count = self._prepared + len(self._unwritten)
        return f"<{type(self).__name__} {self.batch}: {count} mails>"

    @property
    def ended(self) -> bool:
        """Whether it takes no part in its transaction any more."""
        return self._stage is _Stage.ENDED

    def sortKey(self) -> str:
        """See the top of this module."""
        return f"~maildrop:{self.batch}"

    def add(self, message: Message, origin: str) -> None:
        """Take one more mail; MailHostError when it was not taken."""
        if self._stage is not _Stage.OPEN:
            raise MailHostError("mail cannot be sent while its transaction commits")
        # First make room: should that fail, the caller's mail was not taken.
        if self._is_full_for(message):
            self._prepare_unwritten()
        self._unwritten.add(message, origin)

    def _is_full_for(self, message: Message) -> bool:
        unwritten = self._unwritten
        return bool(unwritten) and (
            len(unwritten) >= SPILL_MESSAGES
            or unwritten.octets + len(message.content) > SPILL_BYTES
        )

    def _prepare_unwritten(self) -> None:
        """Write what is in memory, before it is known whether there will be a vote."""
        with self._write() as tx:
            endings.unvoted(self._url, self.batch)
            self._prepare(tx, Batch(self.batch, own_identity()))
        self._count_prepared()

    def _prepare_for(self, txn: Any) -> None:
        """Write the rest, and where to look up what becomes of the transaction."""
        log = storagelog.reference(participants(txn))
        with self._write() as tx:
            self._prepare(tx, Batch(self.batch, own_identity(), voted=True, log=log))
            if self._prepared:
                check_whole(tx, self.batch, self._prepared + len(self._unwritten))
        self._count_prepared()

    def _prepare(self, tx: Transaction, known: Batch) -> None:
        now = time.time()
        remember_batch(tx, known)
        for origin, messages in self._unwritten.by_origin():
            prepare(tx, self.batch, messages, now, origin)

    def _count_prepared(self) -> None:
        self._prepared += len(self._unwritten)
        self._unwritten.keep_first(0)

    def _queue_all(self) -> None:
        now = time.time()
        with self._write() as tx:
            if self._prepared:
                check_whole(tx, self.batch, self._prepared)
                release(tx, self.batch)
            # Not prepared first: that would write much of it twice.
            for origin, messages in self._unwritten.by_origin():
                enqueue(tx, messages, now, origin)
            self._bells = doorbells(tx)
        self._unwritten.keep_first(0)

    @contextmanager
    def _write(self) -> Iterator[Transaction]:
        with as_mailhost_error(), queue_at(self._url).write() as tx:
            # From here on an abort has something to discard, as a commit whose answer
            # gets lost may have happened. Not earlier: where a lock kept us from
            # writing, the abort would wait for it a second time.
            self._writer = self._writer or os.getpid()
            if self._unsure:
                # The last write may have happened, and its mail is written once more.
                discard(tx, self.batch, beyond=self._prepared)
            self._unsure = True
            yield tx
        self._unsure = False

    def savepoint(self) -> SpoolSavepoint:
        """Remember how much mail there is now."""
        count = self._prepared + len(self._unwritten)
        return SpoolSavepoint(partial(self.roll_back, count))

    def roll_back(self, count: int) -> None:
        """Forget all but the first `count` mails."""
        if count < self._prepared or self._unsure:
            kept = min(count, self._prepared)
            with self._write() as tx:
                discard(tx, self.batch, beyond=kept)
            self._prepared = kept
        self._unwritten.keep_first(count - self._prepared)

    def tpc_begin(self, txn: Any) -> None:
        """Do nothing: the mail waits for the vote, as others may say no before it."""

    commit = tpc_begin

    def tpc_vote(self, txn: Any) -> None:
        """Write the rest of the batch; MailHostError when the queue cannot take it."""
        endings.voted(self._url, self.batch)
        stage = _Stage.VOTED
        if self._unwritten or self._prepared:
            if self._is_alone(txn):
                self._queue_all()
                stage = _Stage.QUEUED
            else:
                self._prepare_for(txn)
        self._stage = stage

    def _is_alone(self, txn: Any) -> bool:
        """Whether one step will do: nobody else can say no, or be asked afterwards."""
        # Not for a shared queue: when the answer to the queue's commit gets lost, the
        # transaction is aborted though its mail is sent.
        with as_mailhost_error():
            return participants(txn) == [self] and not queue_at(self._url).shared

    def tpc_finish(self, txn: Any) -> None:
        """Release the batch, wake the daemons; raises no Exception."""
        voted, self._stage = self._stage is _Stage.VOTED, _Stage.ENDED
        if voted and self._prepared:
            self._finish_batch()
        ring(self._bells)

    def _finish_batch(self) -> None:
        trouble = (
            f"its transaction has committed, but its {self._prepared} mails could not "
            "be released: %s. They stay prepared until that can be done"
        )
        with self._last_step(Ending.COMMITTED, trouble):
            with self._write() as tx:
                released = release(tx, self.batch)
                self._bells = doorbells(tx)
            if released < self._prepared:
                logger.error(
                    "batch %s: its transaction has committed, but only %d of its %d "
                    "mails were there to be released",
                    self.batch,
                    released,
                    self._prepared,
                )

    @contextmanager
    def _last_step(self, ending: Ending, trouble: str) -> Iterator[None]:
        """Have the batch's last step made up for later when this block fails."""
        try:
            yield
            endings.done(self._url, self.batch, ending)
        except BaseException as error:
            self._leave_undone(ending)
            reason = str(error) or type(error).__name__
            logger.error(f"batch %s: {trouble}", self.batch, reason)
            # The transaction has ended; an error here would only hide how. What ends
            # the process, such as SystemExit, still goes on.
            if not isinstance(error, Exception):
                raise

    def _leave_undone(self, ending: Ending) -> None:
        endings.left_undone(self._url, self.batch, ending)
        resolver.make_up()

    def tpc_abort(self, txn: Any) -> None:
        """Delete the batch, unless nobody can tell whether the others committed."""
        if self._stage is _Stage.QUEUED:
            self._stage = _Stage.ENDED
            # Nobody else takes part, so nothing contradicts the mail.
            logger.error(
                "batch %s: the transaction broke when its mail was in the queue "
                "already: it is sent",
                self.batch,
            )
            return
        if self._stage is _Stage.VOTED and everybody_voted(txn):
            self._stage = _Stage.ENDED
            self._leave_undone(Ending.UNKNOWN)
            logger.error(
                "batch %s: the transaction broke while it was being finished. Its %d "
                "mails stay prepared until ZODB's log or a person tells what became of "
                "it",
                self.batch,
                self._prepared,
            )
            return
        self.abort(txn)

    def abort(self, txn: Any) -> None:
        """Delete the batch; called once more after a finish with commit hooks."""
        if self.ended:
            return
        self._stage = _Stage.ENDED
        self._unwritten.keep_first(0)
        # A forked child leaves alone what its parent has written, and may commit.
        if self._writer == os.getpid():
            self._discard_batch()

    def _discard_batch(self) -> None:
        trouble = (
            "its transaction was aborted, but its mails could not be deleted: %s. They "
            "are not sent, and deleted when that can be done"
        )
        with self._last_step(Ending.ABORTED, trouble), self._write() as tx:
            discard(tx, self.batch)
