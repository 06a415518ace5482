"""Row 28: a message that breaks what handles it stops no other."""

from __future__ import annotations

import re
import sqlite3
import threading
from contextlib import closing

import pytest
from engine.faults.telling import told
from servers.catcher import Catcher
from servers.scripted import Late, Scripted
from waiting import wait_until

from collective.maildrophost.engine.daemon import run_once
from collective.maildrophost.engine.message import Lane
from collective.maildrophost.engine.queue import State, delete_messages
from collective.maildrophost.engine.smtp import Connection

row = pytest.mark.row
SPOIL = "UPDATE maildrop_content SET data = 'text' WHERE message_id = ?"
"""Text, where every program of ours would write octets."""


@row(28)
def test_a_message_that_cannot_be_handled_is_deferred_and_the_others_go(
    site, make_mail
):
    with Scripted() as relay:
        site.configure(SMTP_PORT=relay.port, MAILDROP_RETRY_MIN=60)
        breaks, *others = site.send(*[make_mail(subject=str(n)) for n in range(12)])
        with site.queue.write() as tx:
            tx.exec_driver_sql(SPOIL, (int(breaks),))
        with site.daemon() as daemon:
            for id in others:
                site.wait_for(id, State.SENT)
            record = site.wait_for(breaks, State.DEFERRED)
            assert {told(site, id)[0][1] for id in others} == {"sent"}
            assert daemon.process.poll() is None
        assert len(relay.accepted) == 11
    assert record.attempts == 1
    assert record.recipients[0].reply == ("an unexpected TypeError in the SMTP client")
    assert not record.possible_duplicate, "nothing had left yet"
    assert record.due > record.created + 60
    assert site.log_lines("met an unexpected error")
    assert site.pauses == []


@row(28)
def test_an_error_around_the_connection_defers_the_message_too(
    site, own_log, make_mail, monkeypatch
):
    deliver = Connection.deliver

    async def break_sometimes(self, sender, recipients, content):
        if b"Subject: breaks" in content:
            raise ZeroDivisionError(content.decode())
        return await deliver(self, sender, recipients, content)

    monkeypatch.setattr(Connection, "deliver", break_sometimes)
    with Catcher() as relay:
        site.configure(SMTP_PORT=relay.port)
        breaks, *others = site.send(
            make_mail(subject="breaks", body="sesame-7\n"),
            *[make_mail() for _ in range(12)],
        )
        assert not run_once(site.configuration)
        assert len(relay.messages) == 12
    record = site.message(breaks)
    assert (record.state, record.attempts) == (State.DEFERRED, 1)
    assert record.recipients[0].reply.startswith("internal error (ZeroDivisionError)")
    assert record.possible_duplicate, "nobody knows how far the relay had come"
    assert {site.message(id).state for id in others} == {State.SENT}
    assert "in break_sometimes" in site.log, "an operator sees where it happened"
    assert "sesame-7" not in site.log, "but nothing of the message"


@row(28)
def test_a_message_whose_content_is_gone_has_failed_and_the_others_go(site, make_mail):
    broken, *good = site.send(*[make_mail() for _ in range(3)])
    with site.queue.write() as tx:
        tx.exec_driver_sql(
            f"DELETE FROM maildrop_content WHERE message_id = {int(broken)}"
        )
    with Scripted() as relay:
        site.configure(SMTP_PORT=relay.port, MAILDROP_RETRY_MIN=600)
        with site.daemon():
            for each in good:
                site.wait_for(each, State.SENT)
            record = site.wait_for(broken, State.FAILED)
            # Its sender is told, in a letter of its own.
            relay.wait_for(3)
    assert record.recipients[0].reply == "the queue has lost its content"
    (letter,) = [each for each in relay.accepted if not each.sender]
    assert b"the queue has lost its content" in letter.content
    assert site.log_lines("unexpected error") == []


@row(28)
def test_a_message_without_recipients_has_failed_and_the_others_go(site, make_mail):
    first, broken, last = site.send(*[make_mail() for _ in range(3)])
    with site.queue.write() as tx:
        tx.exec_driver_sql(
            f"DELETE FROM maildrop_recipient WHERE message_id = {int(broken)}"
        )
    with Scripted() as relay:
        site.configure(SMTP_PORT=relay.port, MAILDROP_CONCURRENCY=1)
        with site.daemon() as daemon:
            for each in (first, last):
                site.wait_for(each, State.SENT)
            site.wait_for(broken, State.FAILED)
            # The log comes after the commit, which a kill may leave it without.
            assert daemon.stop() == 0
        assert len(relay.received) == 2
    (line,) = site.log_lines("names nobody to send it to")
    assert f" ERROR maildrop.delivery: id={broken}: " in line
    assert len(site.log_lines(" started, pid ")) == 1


def test_a_message_that_late_acceptances_have_ended_is_no_fault(site, make_mail):
    """Who had its claim meanwhile could not use the relay, and gave it back."""
    (id,) = site.send(make_mail())
    with site.queue.write() as tx:
        tx.exec_driver_sql("UPDATE maildrop_recipient SET state = 'sent'")
    with Scripted() as relay:
        site.configure(SMTP_PORT=relay.port)
        with site.daemon():
            site.wait_for(id, State.SENT)
        assert relay.received == []
    assert site.log_lines(" ERROR ") == []


@row(28)
def test_a_message_whose_record_is_gone_has_failed_and_the_others_go(site, make_mail):
    first, broken, last = site.send(*[make_mail() for _ in range(3)])
    site.queue.close()
    # As other programs have it, without foreign keys: nothing else goes with the row.
    with closing(sqlite3.connect(site.queue.path, isolation_level=None)) as damager:
        damager.execute("DELETE FROM maildrop_message WHERE id = ?", (broken,))
    with Scripted() as relay:
        # Setting it aside may cost the next one a look.
        site.configure(
            SMTP_PORT=relay.port, MAILDROP_CONCURRENCY=1, MAILDROP_INTERVAL=0.2
        )
        with site.daemon() as daemon:
            for each in (first, last):
                site.wait_for(each, State.SENT)
            assert daemon.process.poll() is None
        assert len(relay.received) == 2
    assert len(site.log_lines(f"id={broken}: its record is lost")) == 1
    assert len(site.log_lines(" started, pid ")) == 1


NO_TEXT = "CAST(X'ff4078' AS TEXT)"


@row(28)
@pytest.mark.parametrize(
    "damage",
    [
        f"UPDATE maildrop_recipient SET address = {NO_TEXT} WHERE message_id = ?",
        f"UPDATE maildrop_message SET sender = {NO_TEXT} WHERE id = ?",
    ],
)
def test_a_message_that_cannot_be_read_has_failed_and_the_others_go(
    site, make_mail, damage
):
    first, broken, last = site.send(*[make_mail() for _ in range(3)])
    with site.queue.write() as tx:
        tx.exec_driver_sql(damage, (int(broken),))
    with Scripted() as relay:
        site.configure(SMTP_PORT=relay.port)
        with site.daemon() as daemon:
            relay.wait_for(2)
            told_of = f"id={broken}: its record cannot be read, it has failed"
            wait_until(lambda: site.log_lines(told_of), what="the line of it")
            assert daemon.stop() == 0
    # No transaction stands open.
    assert site.log_lines("the daemon waits for that") == []
    assert site.log_lines("goes back once a daemon sees") == []
    for each in (first, last):
        assert site.message(each).state is State.SENT
    states = "SELECT state FROM maildrop_schedule WHERE message_id = ?"
    with site.queue.read() as tx:
        assert tx.exec_driver_sql(states, (int(broken),)).scalar() == "failed"
    assert "@x" not in site.log, "nothing of what it was is quoted"


@row(28)
def test_a_message_that_cannot_be_settled_keeps_no_verdict_of_the_others(
    site, make_mail
):
    first, broken, last = site.send(*[make_mail() for _ in range(3)])
    with site.queue.write() as tx:
        tx.exec_driver_sql(
            "UPDATE maildrop_schedule SET attempts = 'x' WHERE message_id = ?",
            (int(broken),),
        )
    with Scripted() as relay:
        site.configure(SMTP_PORT=relay.port, MAILDROP_CONCURRENCY=1)
        with site.daemon() as daemon:
            for each in (first, last):
                site.wait_for(each, State.SENT)
            lost = f"id={broken}: .*unexpected TypeError.* its verdicts are lost"
            wait_until(lambda: re.search(lost, site.log), what="the loss is told")
            assert daemon.process.poll() is None
        assert len(relay.received) == 3


@row(8)
@pytest.mark.parametrize("lane", [None, Lane.INTERACTIVE])
@pytest.mark.parametrize("command", ["MAIL:odd@x.org", "RCPT:odd@x.org"])
def test_a_relay_that_wants_a_login_for_one_message_only_gets_the_others(
    site, make_mail, lane, command
):
    refusal = "530 5.7.0 not from here"
    with Scripted({command: refusal}) as relay:
        site.configure(
            SMTP_PORT=relay.port, MAILDROP_RETRY_MIN=0.2, MAILDROP_CONCURRENCY=1
        )
        odd, *others = site.send(
            make_mail("odd@x.org", sender="odd@x.org", lane=lane),
            *[make_mail() for _ in range(3)],
        )
        with site.daemon() as daemon:
            for each in others:
                site.wait_for(each, State.SENT)
            site.wait_for(odd, State.DEFERRED)
            wait_until(lambda: site.pauses == [], what="the relay is in use again")
            (late,) = site.send(make_mail())
            site.wait_for(late, State.SENT)
            assert daemon.stop() == 0
        assert len(relay.accepted) == 4
    assert {each[1:] for each in told(site, odd)} == {("deferred", refusal)}


@row(8)
def test_a_mail_that_was_already_on_its_way_puts_no_blame_on_others(site, make_mail):
    go_on, refusal = threading.Event(), "530 5.7.0 log in first"
    answers = {"MAIL:refused@x.org": refusal, "END": Late(go_on, "250 2.0.0 Ok")}
    with Scripted(answers) as relay:
        site.configure(SMTP_PORT=relay.port)
        with site.daemon():
            (early,) = site.send()
            wait_until(lambda: relay.conversations, what="its connection")
            wait_until(
                lambda: "DATA" in relay.conversations[0].commands, what="its content"
            )
            (refused,) = site.send(make_mail(sender="refused@x.org"))
            wait_until(lambda: site.pauses, what="the fault")
            go_on.set()
            site.wait_for(early, State.SENT)
            wait_until(lambda: len(relay.conversations) > 3, what="more tries")
            assert site.message(refused).attempts == 0
    assert site.log_lines("mail waits")


@row(8)
@row(19)
def test_a_message_that_the_relay_was_not_asked_about_ends_no_fault(site, make_mail):
    refusal = "530 5.7.0 log in first"
    with Scripted({"MAIL": refusal}, extensions=("SIZE 2000",)) as relay:
        site.configure(SMTP_PORT=relay.port, MAILDROP_BOUNCE=0)
        (refused,) = site.send()
        assert site.once() == 1
        (fault,) = site.pauses
        with site.queue.write() as tx:
            delete_messages(tx, [refused])
        (large,) = site.send(make_mail(body="x" * 3000))
        assert site.once() == 0
    ((_, outcome, reply),) = told(site, large)
    assert (outcome, reply[:5]) == ("failed", "5.3.4")
    assert site.pauses == [fault]
    assert site.log_lines("works again") == []
