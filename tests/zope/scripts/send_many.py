"""Sends mails in transactions of their own: PREFIX COUNT, after a line on stdin."""

import sys

import transaction

from collective.maildrophost.host import MaildropHost

prefix, count = sys.argv[1], int(sys.argv[2])
host = MaildropHost()
print("ready", flush=True)
sys.stdin.readline()
for number in range(count):
    mail = f"Subject: {prefix} {number}\n\nhello\n"
    host.send(mail, mto="to@example.org", mfrom="from@example.org")
    transaction.commit()
