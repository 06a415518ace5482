"""A Zope: threads whose pages send mail, with conflicts, aborts and savepoints.

Arguments: the file of its database, a configuration, a name, seconds since the epoch
at which it ends. It may be killed at any moment, and started again on the same file:
`sent` in there tells which mail belongs to a transaction that was committed.
"""

from __future__ import annotations

import random
import sys
import threading
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import transaction
import ZODB.FileStorage
from BTrees.OOBTree import OOBTree
from datamanagers import join
from persistent.mapping import PersistentMapping
from ZODB.POSException import ConflictError

from collective.maildrophost import productconfig
from collective.maildrophost.engine.queue import open_batches
from collective.maildrophost.host import MaildropHost
from collective.maildrophost.indoubt import resolver
from collective.maildrophost.queues import queue_at
from collective.maildrophost.transaction import datamanager as module

THREADS = 4
TRIES = 20
THINKING_SECONDS, SLOW_SECONDS, PAUSE_SECONDS = 0.03, 1.0, 1.5
IN_MEMORY = 3
"""Mails of one transaction that are kept; the rest is written before its vote."""
RECIPIENTS = ("ok@x.org",) * 8 + ("later@x.org", "no@x.org")
SITE = "soak"
BEFORE_MAIL, AFTER_MAIL = "~a", "~~~"
"""Sort keys; ZODB's come first."""


class GivenUp(Exception):
    """A page that fails after it has sent its mail."""


def think(seconds: float = THINKING_SECONDS) -> None:
    time.sleep(random.random() * seconds)


def refuse() -> None:
    think()
    raise GivenUp


class Page:
    """One request, which is tried again after a conflict."""

    def __init__(self, root: Any, name: str) -> None:
        self.root = root
        self.name = name
        self.tries = 0

    def send(self, *names: str) -> None:
        for name in names:
            mail = f"Subject: {name}\n\n{name}\nthe end\n"
            to = random.choice(RECIPIENTS)
            self.root["host"].send(mail, mto=to, mfrom=f"{name}@x.org")

    def change(self, *names: str) -> None:
        """Every page changes the same object: whichever commits first has it."""
        self.root["last"]["name"] = self.name
        for name in names:
            self.root["sent"][name] = self.tries
        think()

    def mail(self) -> None:
        self.change(self.name)
        self.send(self.name)

    def slow(self) -> None:
        """Long between ZODB's finish and that of the mail."""
        join(BEFORE_MAIL, tpc_finish=lambda: think(SLOW_SECONDS))
        self.newsletter()

    def newsletter(self) -> None:
        names = [f"{self.name}-{number}" for number in range(2 * IN_MEMORY + 1)]
        self.change(*names)
        self.send(*names)
        think()

    def second_thoughts(self) -> None:
        self.send(self.name)
        savepoint = transaction.savepoint()
        undone = [f"{self.name}-undone-{number}" for number in range(IN_MEMORY + 1)]
        self.change(*undone)
        self.send(*undone)
        savepoint.rollback()
        self.change(self.name)

    def failing(self) -> None:
        self.newsletter()
        raise GivenUp

    def refused(self) -> None:
        self.newsletter()
        join(AFTER_MAIL, tpc_vote=refuse)

    def serve(self) -> None:
        kinds = (self.mail,) * 4 + (self.newsletter, self.second_thoughts, self.slow)
        kind = random.choice((*kinds, self.failing, self.refused))
        for self.tries in range(1, TRIES + 1):
            transaction.begin()
            try:
                kind()
                transaction.commit()
                return
            except ConflictError:
                transaction.abort()
            except GivenUp:
                transaction.abort()
                return


def opened(file: str) -> ZODB.DB:
    database = ZODB.DB(ZODB.FileStorage.FileStorage(file))
    with database.transaction() as connection:
        root = connection.root()
        if "host" not in root:
            host = MaildropHost()
            host.setConfigPath(SITE)
            root.update(host=host, sent=OOBTree(), last=PersistentMapping())
    return database


def serve(database: ZODB.DB, name: str, ends: float) -> None:
    connection = database.open()
    number = 0
    while time.time() < ends:
        number += 1
        Page(connection.root(), f"{name}-{number}").serve()
        think(PAUSE_SECONDS)
    connection.close()


def main(file: str, configuration: str, name: str, ends: float) -> None:
    productconfig.add(SITE, configuration)
    module.SPILL_MESSAGES = IN_MEMORY
    database = opened(file)
    resolver.start(SimpleNamespace(database=database))
    threads = [
        threading.Thread(target=serve, args=(database, f"{name}-{number}", ends))
        for number in range(THREADS)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    queue = queue_at(productconfig.configuration(SITE).queue)
    # What a killed Zope has left is for its successor to decide.
    while in_doubt(queue):
        time.sleep(0.2)
    database.close()


def in_doubt(queue: Any) -> bool:
    with queue.read() as tx:
        return bool(open_batches(tx))


def sent(file: Path) -> dict[str, int]:
    """The mail of committed transactions, with how often each had to be tried."""
    storage = ZODB.FileStorage.FileStorage(str(file), read_only=True)
    database = ZODB.DB(storage)
    with database.transaction() as connection:
        found = dict(connection.root()["sent"])
    database.close()
    return found


if __name__ == "__main__":
    main(*sys.argv[1:4], float(sys.argv[4]))
