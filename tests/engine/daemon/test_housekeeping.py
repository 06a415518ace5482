"""A daemon with nothing to do makes the file of its queue small again."""

from __future__ import annotations

import time

from waiting import wait_until

from collective.maildrophost.engine.queue import delete_messages, list_messages

MEGABYTE = 2**20
SHRINK_SECONDS = 60.0


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
