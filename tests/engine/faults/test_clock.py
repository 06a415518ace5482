"""Row 32: the clock jumps, by days; mail neither waits for it nor goes twice."""

from __future__ import annotations

import signal
import threading
import time
from functools import partial

import pytest
from engine.faults.clocks import DAY, OFTEN
from engine.faults.outages import hang
from engine.faults.telling import told
from servers.scripted import Late, Scripted
from waiting import PATIENCE_SECONDS, wait_until

from collective.maildrophost.engine.message import compose
from collective.maildrophost.engine.queue import State, enqueue

row = pytest.mark.row
OK = "250 2.0.0 Ok: queued"
LETTER = b"Subject: hello\n\nbody\n"


@row(32)
@pytest.mark.parametrize("days", [3, -3])
def test_deferred_mail_goes_when_its_wait_is_over_whatever_the_clock_says(
    site, clock, days
):
    with Scripted({"MAIL": ["451 4.3.0 later", "250 ok"]}) as relay:
        site.configure(SMTP_PORT=relay.port, MAILDROP_RETRY_MIN=2)
        site.configure(MAILDROP_RETRY_MAX=2, MAILDROP_INTERVAL=1)
        with site.daemon():
            (id,) = site.send()
            site.wait_for(id, State.DEFERRED)
            clock.days = days
            record = site.wait_for(id, State.SENT)
            verdicts = [("b", "deferred", "451 4.3.0 later"), ("b", "sent", OK)]
            assert told(site, id) == verdicts
        assert len(relay.received) == 1
    assert (record.attempts, record.possible_duplicate) == (2, False)


@row(32)
def test_new_mail_does_not_wait_for_the_time_before_the_clock_was_set_back(
    site, clock, unused_port, late_relay
):
    site.configure(SMTP_PORT=unused_port, MAILDROP_INTERVAL=1)
    with site.daemon():
        (id,) = site.send()
        wait_until(lambda: site.pauses, what="the relay's pause")
        clock.days = -3
        clock.wait_until_seen()
        with late_relay(unused_port) as relay:
            record = site.wait_for(id, State.SENT)
            assert len(relay.received) == 1
        wait_until(lambda: not site.pauses, what="the end of the pause")
    assert record.attempts == 1


def queue_silently(site, message):
    """Without a ring, or with one that is not heard."""
    with site.queue.write() as tx:
        return enqueue(tx, [message], time.time())


@row(32)
@pytest.mark.parametrize("rung", [True, False])
def test_mail_of_a_process_whose_clock_is_ahead_goes_at_once(
    site, clock, make_mail, rung
):
    """Without a ring, as soon as any mail that is due would."""
    site.configure(MAILDROP_INTERVAL=3600 if rung else 0.3)
    clock.days = -3
    with Scripted() as relay:
        site.configure(SMTP_PORT=relay.port)
        with site.daemon():
            for subject in ("one", "two", "three"):
                send = site.send if rung else partial(queue_silently, site)
                (id,) = send(make_mail(subject=subject))
                assert site.wait_for(id, State.SENT).attempts == 1
        assert len(relay.received) == 3
    (told,) = site.log_lines("s ahead of this one")
    assert "WARNING" in told


@row(32)
def test_mail_for_a_certain_time_of_a_clock_that_is_ahead_keeps_it(
    site, clock, make_mail
):
    site.configure(MAILDROP_INTERVAL=0.3)
    clock.days = -3
    now = time.time()
    dated = compose(LETTER, "a@x.org", ["b@x.org"], at=now - DAY, now=now)
    with Scripted() as relay:
        site.configure(SMTP_PORT=relay.port)
        with site.daemon():
            # Over for its sender, in two days for the daemon.
            (later, at_once) = site.send(dated, make_mail())
            site.wait_for(at_once, State.SENT)
            assert site.message(later).state is State.QUEUED
        assert len(relay.received) == 1
    assert site.message(later).due == now - DAY


@row(32)
@pytest.mark.parametrize("once", [True, False])
def test_a_clock_that_was_set_back_while_no_daemon_ran_holds_up_nothing(
    site, clock, once
):
    with Scripted({"MAIL": ["451 4.3.0 later", "250 ok"]}) as relay:
        site.configure(
            SMTP_PORT=relay.port, MAILDROP_RETRY_MIN=60, MAILDROP_WARN_AFTER=0
        )
        clock.days = 3
        (id,) = site.send()
        assert site.once() == 0
        assert site.message(id).state is State.DEFERRED
        clock.days = 0
        if once:
            assert site.once() == 0
        else:
            with site.daemon():
                site.wait_for(id, State.SENT)
        assert len(relay.received) == 1
    assert site.message(id).state is State.SENT


@row(32)
def test_no_daemon_takes_mail_from_another_because_the_clock_jumped(site, clock):
    answered = threading.Event()
    with Scripted({"END": [Late(answered, OK), OK]}) as relay:
        site.configure(SMTP_PORT=relay.port, MAILDROP_INTERVAL=0.2)
        with site.daemon() as first, site.daemon(wait=False) as second:
            second.wait_for_heartbeat()
            (id,) = site.send()
            wait_until(lambda: relay.received, what="the content")
            # Whoever beats first after a jump sees the other's lease long over.
            for days in (3, 6, 9, 12, 0, 15, -3):
                clock.days = days
                clock.wait_until_seen(2)
            with site.daemon(wait=False) as third:
                third.wait_for_heartbeat()
                assert site.message(id).state is State.SENDING
                answered.set()
                record = site.wait_for(id, State.SENT)
            running = [first, second]
            assert [each.process.poll() for each in running] == [None, None]
        assert len(relay.received) == 1
    assert (record.attempts, record.possible_duplicate) == (1, False)


@row(32)
def test_a_daemon_that_hangs_is_still_found_by_its_silence(site, clock, impatient):
    """Set back, the clock would let its lease run for days."""
    impatient(**OFTEN, daemon__heartbeat__LEASE_SECONDS=3.0)
    answered = threading.Event()
    with Scripted({"END": [Late(answered, OK), OK]}) as relay:
        site.configure(SMTP_PORT=relay.port, MAILDROP_INTERVAL=0.2)
        with site.daemon() as hangs:
            (id,) = site.send()
            wait_until(lambda: relay.received, what="the content")
            hang(hangs.pid, site.queue)
            clock.days = -3
            with site.daemon(wait=False) as other:
                other.wait_for_heartbeat()
                record = site.wait_for(id, State.SENT)
                # It has nothing to say any more, and ends.
                answered.set()
                hangs.signal(signal.SIGCONT)
                assert hangs.process.wait(PATIENCE_SECONDS) == 1
    assert record.possible_duplicate
    assert len(relay.received) == 2


@row(32)
@pytest.mark.parametrize("days", [3, -3])
def test_the_pace_goes_on_after_a_jump(site, clock, make_mail, days):
    with Scripted() as relay:
        site.configure(SMTP_PORT=relay.port, WAIT_INTERVAL=0.3, MAILDROP_INTERVAL=1)
        with site.daemon():
            # Not the first mail's arrival, of which a busy machine hears late.
            began = time.time()
            ids = site.send(*[make_mail(subject=str(n)) for n in range(6)])
            relay.wait_for(2)
            clock.days = days
            relay.wait_for(6)
            for id in ids:
                assert site.wait_for(id, State.SENT).attempts == 1
        times = [each.time for each in relay.received]
    assert len(times) == 6
    assert times[-1] - began >= 4 * 0.3


@row(32)
def test_a_file_from_the_future_is_taken(site, clock):
    with Scripted() as relay:
        site.configure(SMTP_PORT=relay.port, MAILDROP_INTERVAL=0.2)
        clock.days = -3
        with site.daemon():
            text = "##To:b@x.org\n##From:a@x.org\nSubject: x\n\nbody\n"
            (site.home / "spool" / "mail-1").write_text(text)
            relay.wait_for(1)
        assert len(relay.received) == 1
