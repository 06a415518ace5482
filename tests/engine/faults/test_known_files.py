"""Rows 30 and 32: a file that was taken is known for as long as it is there."""

from __future__ import annotations

import time

import pytest
from engine.faults.clocks import DAY, OFTEN
from servers.scripted import Scripted
from waiting import wait_until

from collective.maildrophost.engine.intake.droppedfile import Identity
from collective.maildrophost.engine.queue import list_messages, tables

row = pytest.mark.row
MAIL = b"##To:b@x.org\n##From:a@x.org\nSubject: hello\n\nbody\n"


@pytest.fixture
def often_pruned(impatient):
    impatient(**OFTEN, daemon__housekeeping__PRUNE_SECONDS=0.2)


@pytest.fixture
def spool(site):
    spool = site.home / "spool"
    spool.mkdir()
    yield spool
    spool.chmod(0o700)


def remember_gone(site, key, days):
    """As if a file went so long ago, on a disk that does not confirm it."""
    with site.queue.write() as tx:
        tx.execute(
            tables.taken_file.insert(), {"key": key, "taken": time.time() - days * DAY}
        )


def is_known(site, key):
    with site.queue.read() as tx:
        return key in tx.execute(tables.taken_file.select()).scalars().all()


@row(30, 32)
def test_a_file_that_cannot_be_removed_is_sent_once_whatever_the_clock_says(
    site, clock, often_pruned, unprivileged, spool
):
    mail = spool / "mail"
    mail.write_bytes(MAIL)
    mail.chmod(0)
    with Scripted() as relay:
        site.configure(SMTP_PORT=relay.port, MAILDROP_INTERVAL=0.2)
        with site.daemon():
            wait_until(lambda: site.log_lines("Permission denied"), what="a first look")
            spool.chmod(0o500)
            mail.chmod(0o600)
            wait_until(lambda: site.log_lines("is message 1 now"), what="its mail")
            clock.days = 30
            clock.wait_until_seen()
            remember_gone(site, "another", days=0)
            wait_until(lambda: not is_known(site, "another"), what="the forgetting")
            mail.chmod(0o640)  # the daemon looks again
            wait_until(lambda: site.log_lines("was taken before"), what="the next look")
            relay.wait_for(1)
    assert len(relay.received) == 1


@row(30)
def test_a_file_that_comes_back_after_a_long_stop_is_not_sent_again(
    site, often_pruned, spool
):
    site.configure(MAILDROP_INTERVAL=0.2)
    mail = spool / "mail"
    mail.write_bytes(MAIL)
    remember_gone(site, Identity.of(str(mail), mail.lstat()).key, days=30)
    remember_gone(site, "another", days=30)
    with site.daemon():
        wait_until(lambda: not mail.exists(), what="the end of the file")
        wait_until(lambda: not is_known(site, "another"), what="the forgetting")
    with site.queue.read() as tx:
        assert list_messages(tx) == []
