"""Sends a mail in a transaction that is its alone, dies right after the vote."""

import os

import transaction

from collective.maildrophost.host import MaildropHost
from collective.maildrophost.transaction import SpoolDataManager

SpoolDataManager.tpc_finish = lambda self, txn: os._exit(9)
host = MaildropHost()
host.send("Subject: hello\n\nhi\n", mto="to@example.org", mfrom="me@example.org")
transaction.commit()
