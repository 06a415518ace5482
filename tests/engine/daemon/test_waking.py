"""A daemon that sleeps for an hour wakes at once for new mail."""

from __future__ import annotations

import os
import shutil
import time

import pytest
from servers.catcher import Catcher
from waiting import wait_until

from collective.maildrophost.engine.message import compose
from collective.maildrophost.engine.queue import (
    State,
    enqueue,
    hold_lane,
    release_lane,
)

LETTER = b"Subject: hello\n\nbody\n"
SENDING = ("send", "-f", "a@example.org", "b@example.org")


def test_mail_from_the_command_line_wakes_the_daemon(site):
    with Catcher() as relay:
        site.configure(SMTP_PORT=relay.port)
        with site.daemon():
            site.ctl(*SENDING, stdin=LETTER)
            assert relay.wait_for(1)[0].content.endswith(b"\r\n\r\nbody\r\n")


def test_each_of_many_rings_is_heard(site, make_mail):
    with Catcher() as relay:
        site.configure(SMTP_PORT=relay.port)
        with site.daemon():
            for count in range(1, 31):
                site.send(make_mail(subject=str(count)))
                if count % 3 == 0:
                    relay.wait_for(count)
    assert len({each.content for each in relay.messages}) == 30


@pytest.mark.parametrize("what", ["socket", "directory"])
def test_a_doorbell_that_somebody_takes_away_is_hung_again(what, site):
    with Catcher() as relay:
        site.configure(SMTP_PORT=relay.port)
        with site.daemon():
            (bell,) = site.home.glob("var/doorbell.*")
            if what == "directory":
                shutil.rmtree(bell.parent)
                bell.parent.mkdir()
            else:
                bell.unlink()
            wait_until(bell.exists, what="the doorbell")
            site.ctl(*SENDING, stdin=LETTER)
            relay.wait_for(1)


def test_mail_that_comes_without_a_doorbell_goes_once_it_hangs_again(site, make_mail):
    with Catcher() as relay:
        site.configure(SMTP_PORT=relay.port)
        with site.daemon():
            (first,) = site.send(make_mail())
            site.wait_for(first, State.SENT)  # from now on it sleeps
            (bell,) = site.home.glob("var/doorbell.*")
            shutil.rmtree(bell.parent)
            site.ctl(*SENDING, stdin=LETTER)
            assert not bell.parent.exists()
            bell.parent.mkdir()
            relay.wait_for(2)


def test_without_a_ring_mail_goes_after_the_interval(site, make_mail):
    with Catcher() as relay:
        site.configure(SMTP_PORT=relay.port, MAILDROP_INTERVAL=0.3)
        with site.daemon():
            with site.queue.write() as tx:
                enqueue(tx, [make_mail()], time.time())
            relay.wait_for(1)


def test_mail_for_a_later_time_goes_at_that_time(site):
    at = time.time() + 1.5
    message = compose(LETTER, "a@x.org", ["b@x.org"], at=at, now=time.time())
    with Catcher() as relay:
        site.configure(SMTP_PORT=relay.port)
        with site.daemon():
            (id,) = site.send(message)
            record = site.wait_for(id, State.SENT)
    assert record.due >= at  # of what has ended, the time of its end


def test_mail_of_a_held_lane_waits_until_the_lane_goes_on(site, make_mail):
    with site.queue.write() as tx:
        hold_lane(tx, make_mail().lane)
    with Catcher() as relay:
        site.configure(SMTP_PORT=relay.port)
        with site.daemon():
            (held,) = site.send(make_mail(subject="held"))
            site.ctl(*SENDING, "--lane", "interactive", stdin=LETTER)
            relay.wait_for(1)
            assert site.message(held).state is State.QUEUED
            with site.queue.write() as tx:
                release_lane(tx, make_mail().lane)
            site.send(make_mail(subject="rings"))
            relay.wait_for(3)


def test_a_file_without_a_lock_is_sent_and_removed(site):
    with Catcher() as relay:
        site.configure(SMTP_PORT=relay.port)
        with site.daemon():
            dropped = site.home / "spool" / "mail-1"
            dropped.write_bytes(b"##To:b@x.org\n##From:a@x.org\n" + LETTER)
            (caught,) = relay.wait_for(1)
            wait_until(lambda: not dropped.exists(), what="the end of the file")
    assert caught.recipients == ("b@x.org",)


def test_a_file_with_a_lock_waits_until_the_lock_goes(site):
    with Catcher() as relay:
        site.configure(SMTP_PORT=relay.port)
        with site.daemon():
            spool = site.home / "spool"
            lock = spool / "locked.lck"
            lock.touch()
            for name in ("locked", "free"):
                text = f"##To:{name}@x.org\n##From:a@x.org\nSubject: x\n\n"
                (spool / name).write_text(text)
                an_hour_ago = time.time() - 3600
                os.utime(spool / name, (an_hour_ago, an_hour_ago))
            assert relay.wait_for(1)[0].recipients == ("free@x.org",)
            assert (spool / "locked").exists()
            lock.unlink()
            assert relay.wait_for(2)[1].recipients == ("locked@x.org",)
