"""Commits a change with a mail to DATA_FS, dies when ZODB has finished, before us."""

import os
import sys

import transaction
import ZODB
import ZODB.FileStorage


class Crash:
    """Finishes after the FileStorage, whose key is a path, and before the mail."""

    transaction_manager = transaction.manager

    def sortKey(self):
        return "aaa"

    def tpc_begin(self, txn):
        pass

    commit = tpc_vote = tpc_abort = abort = tpc_begin

    def tpc_finish(self, txn):
        os._exit(9)


database = ZODB.DB(ZODB.FileStorage.FileStorage(sys.argv[1]))
root = database.open().root
root.counter += 1
root.host.send("Subject: hello\n\nhi\n", mto="to@example.org", mfrom="me@example.org")
transaction.get().join(Crash())
transaction.commit()
