"""A daemon keeps the files of its queue small."""

from __future__ import annotations

import threading
import time
from dataclasses import replace

from servers.scripted import Late, Scripted
from waiting import wait_until

from collective.maildrophost.engine.daemon.housekeeping import PRUNE_SECONDS
from collective.maildrophost.engine.queue import delete_messages, list_messages
from collective.maildrophost.engine.queue.sqlite.housekeeping import LARGE_WAL_BYTES

MEGABYTE = 2**20
SHRINK_SECONDS = PRUNE_SECONDS / 2
"""A busy machine may take as long; who has given up tries again only later."""


def test_after_a_big_newsletter_the_file_shrinks(site, make_mail):
    body = "x" * 70 + "\n"
    newsletter = [make_mail(body=body * 14_000) for _ in range(40)]
    site.send(*newsletter)
    with site.queue.write() as tx:
        delete_messages(tx, [each.id for each in list_messages(tx)])
    site.send(make_mail(subject="kept"))
    with site.queue.write() as tx:
        tx.exec_driver_sql("UPDATE maildrop_schedule SET due = ?", (time.time() * 2,))
    path = site.home / "queue.db"
    site.queue.close()
    assert path.stat().st_size > 35 * MEGABYTE
    with site.daemon():
        wait_until(
            lambda: path.stat().st_size < 20 * MEGABYTE,
            SHRINK_SECONDS,
            "the file of the queue got shorter",
        )
    assert site.ctl("queue").count("kept") == 1


def test_the_write_ahead_log_shrinks_while_mail_is_on_its_way(site, make_mail):
    """With mail that never stops it would fill the disk."""
    wal = site.home / "queue.db-wal"
    large = make_mail(body=("x" * 70 + "\n") * 14_000)
    later = [replace(large, due=time.time() * 2)] * 8
    answered = threading.Event()
    with Scripted({"END": Late(answered, "250 2.0.0 Ok")}) as relay:
        site.configure(SMTP_PORT=relay.port)
        with site.daemon():
            site.send()
            wait_until(lambda: relay.received, what="the content")
            with site.queue.read() as tx:
                list_messages(tx)  # which keeps the log from beginning anew
                while wal.stat().st_size <= LARGE_WAL_BYTES:
                    site.send(*later)
            wait_until(lambda: wal.stat().st_size < MEGABYTE, what="it is emptied")
            answered.set()
