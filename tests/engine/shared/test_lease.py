"""A machine that dies, or is cut off, leaves its mail to the others: marked, once."""

from __future__ import annotations

import threading
import time

from servers.scripted import Drop, Late, Scripted
from waiting import PATIENCE_SECONDS, wait_until

from collective.maildrophost.engine.queue import (
    State,
    claim,
    enqueue,
    list_messages,
    retire,
)
from collective.maildrophost.engine.queue.postgresql.database import IDLE_SECONDS

OK = "250 2.0.0 Ok"
BROKEN_OFF = "1 mails in flight are broken off"
# With some seconds left, by which a busy machine may be late.
QUICK = {
    "daemon__heartbeat__LEASE_SECONDS": 6.0,
    "daemon__heartbeat__MARGIN_SECONDS": 4.0,
}
ELSEWHERE = "UPDATE maildrop_daemon SET process = 'of another machine'"


def on_another_machine(site):
    """So that nobody here can see the death of its daemon."""
    with site.queue.write() as tx:
        tx.exec_driver_sql(ELSEWHERE)


def test_the_mail_of_a_killed_machine_comes_back_after_its_lease(machines, make_mail):
    first, second = machines(2, **QUICK)
    never = threading.Event()
    with Scripted({"END": [Late(never, Drop()), OK]}) as relay:
        for site in (first, second):
            site.configure(SMTP_PORT=relay.port)
        with first.daemon() as dying:
            (id,) = first.send(make_mail())
            wait_until(lambda: relay.received, what="the content")
            on_another_machine(first)
            dying.kill()
        (dead,) = first.daemons
        with second.daemon():
            record = second.wait_for(id, State.SENT)
    assert record.possible_duplicate
    assert len(relay.received) == 2
    assert second.attempts(id)[0].time >= dead.lease_until > dead.seen


def test_a_machine_that_is_cut_off_stops_sending_before_another_takes_over(
    machines, make_mail, proxy, proxied_url
):
    (here,) = machines(1, proxied_url, **QUICK)
    (there,) = machines(1, **QUICK)
    never = threading.Event()
    with Scripted({"END": [Late(never, OK)]}) as slow, Scripted() as relay:
        here.configure(SMTP_PORT=slow.port)
        there.configure(SMTP_PORT=relay.port)
        with here.daemon():
            (id,) = here.send(make_mail())
            wait_until(lambda: slow.received, what="the content")
            on_another_machine(there)
            with there.daemon():
                proxy.cut()
                wait_until(
                    lambda: here.log_lines(BROKEN_OFF), what="that it breaks off"
                )
                # The cut may have been in the middle of a transaction, whose locks the
                # server keeps until it ends it.
                record = there.wait_for(id, State.SENT, IDLE_SECONDS + 30)
                proxy.mend()
    # Nobody had taken it over by then, though somebody waited for that.
    assert here.logged(BROKEN_OFF) < there.logged("its mail goes on here")
    assert record.possible_duplicate
    assert len(relay.accepted) == 1


def test_a_machine_that_comes_back_in_time_goes_on(
    machines, make_mail, proxy, proxied_url
):
    (site,) = machines(
        1,
        proxied_url,
        **{**QUICK, "queue__postgresql__connection__ANSWER_SECONDS": 1.0},
    )
    never = threading.Event()
    with Scripted({"END": [Late(never, OK), OK]}) as relay:
        site.configure(SMTP_PORT=relay.port)
        with site.daemon() as running:
            (id,) = site.send(make_mail())
            wait_until(lambda: relay.received, what="the content")
            proxy.cut()
            wait_until(lambda: site.log_lines(BROKEN_OFF), what="that it breaks off")
            assert site.log_lines("the lease could not be renewed")
            proxy.mend()
            record = site.wait_for(id, State.SENT)
            assert running.process.poll() is None
    assert record.possible_duplicate
    assert "broken off" in site.attempts(id)[0].reply


def test_a_daemon_that_was_taken_for_dead_breaks_off_at_once_and_ends(
    machines, make_mail
):
    """What it had claimed is sent by the daemon that took it over."""
    (site,) = machines(1)
    with Scripted({"END": Late(threading.Event(), OK)}) as relay:
        site.configure(SMTP_PORT=relay.port, MAILDROP_STOP_TIMEOUT=60)
        with site.daemon() as running:
            (id,) = site.send(make_mail())
            wait_until(lambda: relay.received, what="the content")
            with site.queue.write() as tx:
                retire(tx, running.row.owner)
                assert claim(tx, "another", [int(id)], time.time())
            assert running.process.wait(PATIENCE_SECONDS) == 1
    assert "the lease is lost" in site.log_lines(BROKEN_OFF)[0]
    record = site.message(id)
    assert (record.state, record.possible_duplicate) == (State.SENDING, True)


def test_no_mail_is_stuck_or_doubled_when_the_answer_to_a_claim_is_lost(
    machines, make_mail, proxy, proxied_url
):
    (here,) = machines(1, proxied_url)
    (there,) = machines(1)
    with Scripted() as relay:
        here.configure(SMTP_PORT=relay.port)
        with here.daemon():
            proxy.lose_commit(b"SET state = 'sending'")
            (id,) = there.send(make_mail())
            assert proxy.lost.wait(PATIENCE_SECONDS)
            record = there.wait_for(id, State.SENT)
    assert len(relay.received) == 1
    assert not record.possible_duplicate


def test_a_claim_that_its_daemon_never_hears_of_goes_back_in_time(machines, make_mail):
    """Its commit went through after all; or a standby has not heard of the verdict."""
    (site,) = machines(1, delivery__handedout__COMPARE_SECONDS=0.0)
    with Scripted() as relay:
        site.configure(SMTP_PORT=relay.port)
        with site.daemon() as running:
            now = time.time()
            with site.queue.write() as tx:
                (id,) = enqueue(tx, [make_mail()], now)
                assert claim(tx, running.row.owner, [int(id)], now)
            record = site.wait_for(id, State.SENT)
    assert not record.possible_duplicate


def test_a_verdict_is_kept_when_the_answer_to_its_commit_is_lost(
    machines, make_mail, proxy, proxied_url
):
    (here,) = machines(1, proxied_url)
    (there,) = machines(1)
    with Scripted() as relay:
        here.configure(SMTP_PORT=relay.port)
        with here.daemon():
            proxy.lose_commit(b"INSERT INTO maildrop_attempt")
            (id,) = there.send(make_mail())
            assert proxy.lost.wait(PATIENCE_SECONDS)
            there.wait_for(id, State.SENT)
            (next_id,) = there.send(make_mail(subject="next"))
            there.wait_for(next_id, State.SENT)
    assert len(relay.received) == 2


def test_verdicts_whose_commit_went_unheard_are_recorded_and_told_once(
    machines, make_mail, proxy, proxied_url
):
    (here,) = machines(1, proxied_url)
    (there,) = machines(1)
    full, unknown = "452 4.5.3 Too many recipients", "550 5.1.1 no"
    with Scripted({"RCPT": [OK, unknown, full, OK]}) as relay:
        here.configure(SMTP_PORT=relay.port)
        with here.daemon():
            proxy.lose_commit(b"INSERT INTO maildrop_attempt")
            (id,) = there.send(make_mail("b@x.org", "c@x.org", "d@x.org"))
            assert proxy.lost.wait(PATIENCE_SECONDS)
            record = there.wait_for(id, State.FAILED)
            with there.queue.read() as tx:
                # It may have been sent by now.
                mails = list_messages(tx) + list_messages(tx, State.SENT)
                letters = [each for each in mails if not each.sender]
    assert [each.attempts for each in record.recipients] == [1, 1, 1]
    assert len(there.attempts(id)) == 3
    assert len(letters) == 1


def test_a_daemon_that_takes_in_files_for_long_is_not_taken_for_dead(machines):
    # A file that was written just now is looked at again after that time.
    (here,) = machines(1, **QUICK, daemon__scanner__QUIET_SECONDS=8.0)
    (there,) = machines(1, **QUICK)
    with Scripted() as relay:
        for site in (here, there):
            site.configure(SMTP_PORT=relay.port)
        with there.daemon():
            spool = here.home / "spool"
            spool.mkdir()
            (spool / "mail").write_text("##To:b@x.org\n##From:a@x.org\nSubject: x\n\n")
            _, errors = here.start("--once").communicate(timeout=PATIENCE_SECONDS)
            assert errors == b""
            assert not there.log_lines("is gone")
    assert len(relay.accepted) == 1
