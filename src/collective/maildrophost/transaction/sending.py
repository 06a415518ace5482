"""Hand a mail to the queue, with the current transaction or at once."""

from __future__ import annotations

import logging
import time
from collections.abc import Collection
from typing import Any

import transaction
from Products.MailHost.MailHost import MailHostError
from transaction.interfaces import NoTransaction, TransactionError

from collective.maildrophost.engine.doorbell import ring
from collective.maildrophost.engine.message import Message
from collective.maildrophost.engine.queue import doorbells, enqueue
from collective.maildrophost.indoubt.storagelog import EXTENDED_INFO
from collective.maildrophost.queues import queue_at
from collective.maildrophost.refusal import as_mailhost_error
from collective.maildrophost.transaction.datamanager import SpoolDataManager
from collective.maildrophost.transaction.participants import participants

_JOINED = object()
"""The key of a transaction's own data: a dict of our data managers, by queue URL."""
_COMMITTING, _COMMITTED = "Committing", "Committed"
"""Values of a transaction's `status`, which have no public names."""

logger = logging.getLogger("maildrop.zope")


def send_with_transaction(url: str, message: Message, origin: str) -> None:
    """Have `message` leave when the current transaction commits.

    `origin` tells an operator who wrote it. Raises MailHostError when the transaction
    takes no more mail, or when it has so much that some must be written to the queue
    now, and that fails.
    """
    current = _current()
    if _status(current) == _COMMITTED:
        # An after-commit hook sends it: there is no commit left to wait for.
        send_now(url, message, origin)
    else:
        _data_manager(current, url).add(message, origin)


def send_now(url: str, message: Message, origin: str) -> None:
    """Queue `message` durably before this returns, whatever the transaction does."""
    now = time.time()
    with as_mailhost_error(), queue_at(url).write() as tx:
        enqueue(tx, [message], now, origin)
        bells = doorbells(tx)
    ring(bells)


def take_part(url: str) -> None:
    """Have the queue take part in the current transaction before there is mail for it.

    The mail comes during the vote. Raises MailHostError as `send_with_transaction`.
    """
    _data_manager(_current(), url)


def committing() -> Any:
    """The current transaction while it is in one of its two phases, else None."""
    try:
        current = _current()
    except MailHostError:
        return None
    return current if _status(current) == _COMMITTING else None


def _current() -> Any:
    try:
        return transaction.get()
    except NoTransaction as error:
        # In explicit mode there is none until a program begins one.
        raise MailHostError("mail cannot be sent outside of a transaction") from error


def _status(txn: Any) -> Any:
    return getattr(txn, "status", None)


def _data_manager(txn: Any, url: str) -> SpoolDataManager:
    try:
        joined = txn.data(_JOINED)
    except KeyError:
        joined = {}
        txn.set_data(_JOINED, joined)
    if url not in joined or joined[url].ended:
        joined[url] = _join(txn, url, joined.values())
    return joined[url]


def _join(txn: Any, url: str, others: Collection[SpoolDataManager]) -> SpoolDataManager:
    manager = SpoolDataManager(url)
    try:
        txn.join(manager)
    except (ValueError, TransactionError) as error:
        raise MailHostError(
            f"mail cannot be sent with a transaction that ends or has failed: {error}"
        ) from error
    if any(each.ended for each in others if each in participants(txn)):
        logger.warning(
            "batch %s: a hook sends mail after its transaction was aborted: that mail "
            "is not sent",
            manager.batch,
        )
    # Storages write the extended info when the commit begins: the vote is too late. It
    # has little room, so batches that a savepoint's rollback has ended are left out.
    batches = [each.batch for each in others if not each.ended]
    txn.setExtendedInfo(EXTENDED_INFO, [*batches, manager.batch])
    return manager
