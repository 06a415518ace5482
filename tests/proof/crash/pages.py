"""What a Zope does with mail: real transactions on a real FileStorage.

Each transaction that changes the database adds the names of its mails to `root.sent`:
so the database tells, after any end, which of them were committed.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import transaction
import ZODB.FileStorage
from datamanagers import join
from persistent.list import PersistentList

from collective.maildrophost.engine.actions import (
    act,
    act_on_lane,
    discard_batch,
    release_batch,
)
from collective.maildrophost.engine.errors import MaildropError
from collective.maildrophost.engine.message import Lane
from collective.maildrophost.engine.queue import open_batches
from collective.maildrophost.host import MaildropHost
from collective.maildrophost.indoubt import resolver
from collective.maildrophost.queues import queue_at
from collective.maildrophost.transaction import SpoolDataManager

MAIL = "Subject: {name}\n\nhello\n"
LOOK_SECONDS = 0.02
AFTER_MAIL, LAST = "~~", "~~~"
"""Sort keys."""


@contextmanager
def opened(file: str) -> Iterator[Any]:
    """The root of the database, with `sent` and `host` in it."""
    database = ZODB.DB(ZODB.FileStorage.FileStorage(file))
    with database.transaction() as connection:
        if not hasattr(connection.root, "sent"):
            connection.root.sent = PersistentList()
            connection.root.host = MaildropHost()
    try:
        yield database.open().root
    finally:
        transaction.abort()
        database.close()


def committed(file: str) -> list[str]:
    """The mails of transactions that have happened, as their database tells."""
    database = ZODB.DB(ZODB.FileStorage.FileStorage(file, read_only=True))
    try:
        with database.transaction() as connection:
            return list(connection.root.sent)
    finally:
        database.close()


def send(root: Any, *names: str) -> None:
    """Send mails that are known by their subjects."""
    for name in names:
        mail = MAIL.format(name=name)
        root.host.send(mail, mto="b@example.org", mfrom="a@example.org")


def change(root: Any, *names: str) -> None:
    """Change the database, in a transaction that sends these mails."""
    root.sent.extend(names)


def make(file: str) -> None:
    """The database as it is before all this."""
    with opened(file):
        pass


def page(file: str) -> None:
    """Changes something and sends a mail."""
    with opened(file) as root:
        change(root, "page")
        send(root, "page")
        transaction.commit()


def mail_alone(file: str) -> None:
    """Sends a mail and changes nothing."""
    with opened(file) as root:
        send(root, "alone")
        transaction.commit()


def newsletter(file: str) -> None:
    """Sends more than is kept in memory."""
    names = [f"letter-{number}" for number in range(5)]
    with opened(file) as root:
        change(root, *names)
        send(root, *names)
        transaction.commit()


def broken_newsletter(file: str) -> None:
    """Sends more than is kept in memory, and is aborted."""
    names = [f"broken-{number}" for number in range(5)]
    with opened(file) as root:
        change(root, *names)
        send(root, *names)
        transaction.abort()


def refused_page(file: str) -> None:
    """Is refused by somebody who votes after the mail has."""
    with opened(file) as root:
        change(root, "refused")
        send(root, "refused")
        commit_in_vain()


def second_thoughts(file: str) -> None:
    """Goes back to a savepoint after much mail, commits the rest."""
    with opened(file) as root:
        change(root, "kept")
        send(root, "kept")
        savepoint = transaction.savepoint()
        send(root, *(f"undone-{number}" for number in range(5)))
        savepoint.rollback()
        transaction.commit()


def mail_at_once(file: str) -> None:
    """Sends a mail whatever the transaction does, which is aborted."""
    with opened(file) as root:
        root.host.setTransactional(False)
        send(root, "at-once")
        transaction.abort()


def decide(file: str, url: str) -> None:
    """Ends what an earlier Zope has left in doubt."""
    with opened(file) as root:
        end_doubts(root, url)


def unreleased_page(file: str, url: str) -> None:
    """Commits, cannot write to the queue at that moment, and ends that later."""
    with opened(file) as root:
        change(root, "unreleased")
        send(root, "unreleased")
        with out_of_order_after_the_vote():
            transaction.commit()
        end_doubts(root, url)


def undeleted_page(file: str, url: str) -> None:
    """Is refused, cannot write to the queue at that moment, and ends that later."""
    with opened(file) as root:
        change(root, "undeleted")
        send(root, "undeleted")
        with out_of_order_after_the_vote():
            commit_in_vain()
        end_doubts(root, url)


def end_doubts(root: Any, url: str) -> None:
    """What a thread of every Zope does about batches, until there is nothing to do."""
    databases = root.host._p_jar.db().databases
    looks = resolver.Resolver(databases, lambda: [url])
    while True:
        looks.look()
        with queue_at(url).read() as tx:
            if not open_batches(tx):
                return
        time.sleep(LOOK_SECONDS)


def commit_in_vain() -> None:
    """Somebody votes no after all others."""
    join(LAST, tpc_vote=refuse)
    try:
        transaction.commit()
    except Refusal:
        transaction.abort()


@contextmanager
def out_of_order_after_the_vote() -> Iterator[None]:
    """The transaction finds the queue in order when it votes, and never again."""
    write, make_up = SpoolDataManager._write, resolver.make_up
    join(AFTER_MAIL, tpc_vote=break_the_queue)
    # `end_doubts` stands for the thread.
    resolver.make_up = lambda: None
    try:
        yield
    finally:
        SpoolDataManager._write, resolver.make_up = write, make_up


class Refusal(Exception):
    """Somebody votes no."""


def refuse() -> None:
    raise Refusal


def break_the_queue() -> None:
    """It can't be written any more."""

    def write(manager: SpoolDataManager) -> None:
        raise MaildropError("no disk")

    SpoolDataManager._write = write


def act_on(url: str, action: str, id: str) -> None:
    """What the buttons of the pages do to a message."""
    act(queue_at(url), action, [id])


def release(url: str, batch: str) -> None:
    """Decide that a batch in doubt goes."""
    release_batch(queue_at(url), batch)


def discard(url: str, batch: str) -> None:
    """Decide that a batch in doubt does not go."""
    discard_batch(queue_at(url), batch)


def hold_lane(url: str, hold: bool) -> None:
    """What the buttons of the control panel do to a lane."""
    act_on_lane(queue_at(url), "hold" if hold else "release", Lane.NORMAL)
