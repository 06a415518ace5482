"""Commits changes with a mail, dies on the way: CONFIGURATION WHERE.

CONFIGURATION is a file with databases, as zope.conf has them; WHERE is one of

- spilled: the mail is written, its transaction goes on
- voted: everybody has voted, nobody has finished
- between: one of two databases has finished
- finished: ZODB has finished, the queue has not
"""

import os
import signal
import sys
from pathlib import Path

import transaction
import ZODB.config

from collective.maildrophost.transaction import datamanager as module

LAST = "~~"
AFTER_ZODB = "~a"


class Killer:
    """Dies in one step of the commit, at its place in the order of all."""

    transaction_manager = transaction.manager

    def __init__(self, key, step):
        self._key = key
        setattr(self, step, self.die)

    def die(self, txn=None):
        os.kill(os.getpid(), signal.SIGKILL)

    def sortKey(self):
        return self._key

    def tpc_begin(self, txn):
        pass

    commit = tpc_vote = tpc_finish = tpc_abort = abort = tpc_begin


def die_between(databases):
    """When the first of them has finished."""
    first = min(databases, key=lambda each: each.storage.sortKey())
    finish = first.storage.tpc_finish

    def finish_and_die(*arguments):
        finish(*arguments)
        os.kill(os.getpid(), signal.SIGKILL)

    first.storage.tpc_finish = finish_and_die


def main(configuration, where):
    database = ZODB.config.databaseFromString(Path(configuration).read_text())
    connection = database.open()
    others = []
    root = connection.root
    root.counter += 1
    for name in database.databases:
        if name != database.database_name:
            others.append(connection.get_connection(name))
            others[-1].root.counter += 1
    if where == "spilled":
        module.SPILL_MESSAGES = 1
    for number in range(3):
        root.host.send(
            f"Subject: {number}\n\nhi\n", mto="to@example.org", mfrom="me@example.org"
        )
    if where == "spilled":
        os.kill(os.getpid(), signal.SIGKILL)
    elif where == "voted":
        transaction.get().join(Killer(LAST, "tpc_vote"))
    elif where == "between":
        die_between([database, *(each.db() for each in others)])
    else:
        transaction.get().join(Killer(AFTER_ZODB, "tpc_finish"))
    transaction.commit()


main(*sys.argv[1:])
