"""`run --once` handles what is due, then ends."""

from __future__ import annotations

import signal
import sqlite3
import time
from contextlib import closing
from unittest.mock import Mock

from servers.catcher import Catcher
from servers.scripted import Scripted
from waiting import PATIENCE_SECONDS, wait_until

from collective.maildrophost.engine.daemon import run_once
from collective.maildrophost.engine.daemon.tally import tally
from collective.maildrophost.engine.delivery.finished import Finished
from collective.maildrophost.engine.message import compose
from collective.maildrophost.engine.queue import RelayPause, State, pause


def test_what_is_due_is_sent(site, make_mail):
    later = compose(
        "\n", "a@x.org", ["b@x.org"], at=time.time() + 3600, now=time.time()
    )
    with Catcher() as relay:
        site.configure(SMTP_PORT=relay.port)
        *due, waits = site.send(*[make_mail() for _ in range(25)], later)
        assert site.once() == 0
        assert len(relay.messages) == 25
    assert {site.message(id).state for id in due} == {State.SENT}
    assert site.message(waits).state is State.QUEUED
    assert site.daemons == []


def test_a_message_that_cannot_be_sent_leaves_no_other_behind(site, make_mail):
    """Its record is lost, and with one connection nothing else is claimed with it."""
    broken, *others = site.send(*[make_mail() for _ in range(3)])
    site.queue.close()
    with closing(sqlite3.connect(site.queue.path, isolation_level=None)) as damager:
        damager.execute("DELETE FROM maildrop_message WHERE id = ?", (broken,))
    with Catcher() as relay:
        site.configure(SMTP_PORT=relay.port, MAILDROP_CONCURRENCY=1)
        assert site.once() == 0
    assert {site.message(id).state for id in others} == {State.SENT}


def test_a_run_with_nothing_due_ends_at_once(site):
    assert site.once() == 0


def test_dropped_files_are_sent(site):
    with Catcher() as relay:
        site.configure(SMTP_PORT=relay.port)
        spool = site.home / "spool"
        spool.mkdir()
        (spool / "mail-1").write_text("##To:b@x.org\n##From:a@x.org\nSubject: x\n\n")
        assert site.once() == 0
        assert len(relay.messages) == 1
    assert list(spool.iterdir()) == []


def test_mail_from_before_the_clock_was_set_back_is_due(site):
    with Catcher() as relay:
        site.configure(SMTP_PORT=relay.port)
        (id,) = site.send()
        with site.queue.write() as tx:
            tx.exec_driver_sql("UPDATE maildrop_message SET created = created + 86400")
            tx.exec_driver_sql(
                "UPDATE maildrop_schedule SET due = due + 86400, since = since + 86400"
            )
        assert site.once() == 0
    assert site.message(id).state is State.SENT


def test_a_retry_that_lies_within_the_policy_keeps_its_time(site):
    with Catcher() as relay:
        site.configure(SMTP_PORT=relay.port)
        (id,) = site.send()
        with site.queue.write() as tx:
            tx.exec_driver_sql(
                "UPDATE maildrop_schedule "
                "SET attempts = 1, state = 'deferred', due = due + 3000"
            )
        assert site.once() == 0
    assert site.message(id).state is State.DEFERRED


def test_a_deferred_message_does_not_hold_up_a_run(site):
    with Scripted({"MAIL": "451 4.3.0 later"}) as relay:
        site.configure(SMTP_PORT=relay.port)
        (id,) = site.send()
        assert site.once() == 0
    record = site.message(id)
    assert (record.state, record.attempts) == (State.DEFERRED, 1)


def test_a_run_with_the_relay_down_ends_with_1_and_keeps_the_mail(site, unused_port):
    site.configure(SMTP_PORT=unused_port)
    (id,) = site.send()
    assert site.once() == 1
    record = site.message(id)
    assert (record.state, record.attempts) == (State.QUEUED, 0)


def test_after_a_run_that_found_the_relay_down_the_next_one_tries(
    site, unused_port, late_relay
):
    site.configure(SMTP_PORT=unused_port)
    (id,) = site.send()
    assert site.once() == 1
    assert site.once() == 1
    assert site.pauses[0].failures == 2
    with late_relay(unused_port) as relay:
        assert site.once() == 0
        assert len(relay.accepted) == 1
    assert site.message(id).state is State.SENT
    assert site.pauses == []


def test_a_fault_that_is_met_ends_a_run_whatever_was_met_before(site, make_mail):
    # A 4xx beside the connection that is just closing would only say that it is full.
    greetings = ["220 ready", "554 5.3.2 going down"]
    with Scripted({"GREETING": greetings}) as relay:
        site.configure(SMTP_PORT=relay.port, MAILDROP_BATCH=1)
        site.send(make_mail(), make_mail())
        known = RelayPause(f"127.0.0.1:{relay.port}", "down", 1.0, 2.0, failures=5)
        with site.queue.write() as tx:
            pause(tx, known)
        assert site.once() == 1
    assert len(relay.accepted) == 1
    assert len(relay.conversations) == 2


def test_an_old_fault_matters_only_while_there_is_mail(site, unused_port):
    site.configure(SMTP_PORT=unused_port)
    (id,) = site.send()
    assert site.once() == 1
    site.ctl("delete", id)
    assert site.once() == 0


def test_a_run_can_be_stopped_in_the_middle_of_a_full_drop_directory(site, full_spool):
    site.configure(MAILDROP_STOP_TIMEOUT=30)
    process = site.start("--once")
    try:
        wait_until(lambda: site.log_lines("taken from"), what="the first of the files")
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=PATIENCE_SECONDS)
    finally:
        process.kill()
        process.wait()
    assert process.returncode == 0
    assert len(site.log_lines("taken from")) < full_spool
    assert site.log_lines(" within ") == [], "nothing was waited for"
    assert site.log.rstrip().endswith("stopped")


def test_a_message_of_several_transactions_counts_once(site, own_log, make_mail):
    told = []
    recipients = [f"r{number}@example.org" for number in range(250)]
    with Catcher() as relay:
        site.configure(SMTP_PORT=relay.port)
        site.send(make_mail(*recipients), make_mail())
        assert not run_once(site.configuration, lambda *counts: told.append(counts))
        assert len(relay.messages) == 4
    assert told == [(1, 2), (2, 2)]


def test_a_run_beside_a_daemon_leaves_the_pid_file_alone(site):
    """The documentation has people run it so, to see what is said to the relay."""
    pid_file = site.home / "var" / "maildrop.pid"
    with site.daemon() as daemon:
        assert site.once() == 0
        assert pid_file.read_text() == f"{daemon.pid}\n"


def test_a_message_is_not_through_while_somebody_was_not_tried(site):
    """However many were given up who had been deferred before."""
    told = []
    observe = tally(site.queue, lambda *counts: told.append(counts))
    untried = Mock(more=False, recipients=(Mock(position=1), Mock(position=2)))
    given_up = Mock(verdicts=((0, Mock()), (1, Mock())))
    observe(Finished(untried, given_up), time.time())
    assert told == [(0, 0)]
