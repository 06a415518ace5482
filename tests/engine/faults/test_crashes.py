"""Rows 25 and 31: a kill at any moment loses nothing; two daemons share a queue."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections import Counter

import pytest
from engine.faults.outages import locked
from engine.processes import children, state, waits_for_lock
from servers.catcher import Catcher
from servers.scripted import Drop, Late, Scripted
from waiting import PATIENCE_SECONDS, wait_until

from collective.maildrophost.engine.queue import State, stats

row = pytest.mark.row
OK = "250 2.0.0 Ok"


@row(25)
def test_mail_in_flight_at_a_kill_is_sent_again_and_marked(site, make_mail):
    never = threading.Event()
    answers = {"END": [Late(never, Drop()), "250 2.0.0 Ok"]}
    with Scripted(answers) as relay:
        site.configure(SMTP_PORT=relay.port)
        with site.daemon() as first:
            (id,) = site.send(make_mail())
            wait_until(lambda: relay.received, what="the content")
            assert site.message(id).state is State.SENDING
            first.kill()
        with site.daemon():
            record = site.wait_for(id, State.SENT)
        assert len(relay.received) == 2
    assert record.possible_duplicate
    assert record.attempts == 1
    twice = [each.content for each in relay.received]
    assert twice[0] == twice[1]
    assert record.message_id.encode() in twice[0]


@row(25)
def test_a_kill_with_many_mails_in_the_queue_loses_none(site, make_mail):
    release = threading.Event()
    fine = "250 2.0.0 Ok"
    answers = {"END": [fine] * 15 + [Late(release, fine)] * 10 + [fine]}
    with Scripted(answers) as relay:
        site.configure(SMTP_PORT=relay.port)
        with site.daemon() as first:
            ids = site.send(*[make_mail(subject=f"n{n}") for n in range(40)])
            # Nine connections at most have a message each, and none has its reply.
            wait_until(lambda: len(relay.received) >= 24, what="mail in flight")
            first.kill()
            release.set()
        with site.daemon():
            records = [site.wait_for(id, State.SENT) for id in ids]
    counts = Counter(each.content for each in relay.received)
    assert len(counts) == 40
    marked = {each.message_id for each in records if each.possible_duplicate}
    twice = [content for content, count in counts.items() if count > 1]
    assert len(twice) <= len(marked) <= 10
    for content in twice:
        assert any(id.encode() in content for id in marked)


@row(31)
def test_two_daemons_on_one_queue_send_each_message_once(site, make_mail):
    with Catcher() as relay:
        site.configure(SMTP_PORT=relay.port, MAILDROP_CONCURRENCY=4)
        with site.daemon(), site.daemon(wait=False) as second:
            second.wait_for_heartbeat()
            assert len(site.daemons) == 2
            site.send(*[make_mail(subject=f"n{n}") for n in range(200)])
            relay.wait_for(200)

            def all_sent() -> bool:
                with site.queue.read() as tx:
                    return stats(tx, 0).states[State.SENT] == 200

            wait_until(all_sent, what="the last verdict")
        subjects = Counter(each.content for each in relay.messages)
    assert len(subjects) == 200
    assert set(subjects.values()) == {1}


@row(31)
def test_a_daemon_that_dies_leaves_its_mail_to_the_other(site, impatient, make_mail):
    impatient(daemon__heartbeat__RENEW_SECONDS=0.2)
    never = threading.Event()
    with Scripted({"END": [Late(never, Drop()), "250 2.0.0 Ok"]}) as relay:
        # One of the two connections is kept for interactive mail.
        site.configure(SMTP_PORT=relay.port, MAILDROP_CONCURRENCY=2)
        site.configure(MAILDROP_INTERVAL=0.2)
        with site.daemon() as first:
            (id,) = site.send(make_mail(subject="in flight"))
            wait_until(lambda: relay.received, what="the content")
            with site.daemon():
                others = site.send(*[make_mail(subject=str(n)) for n in range(20)])
                for other in others:
                    assert not site.wait_for(other, State.SENT).possible_duplicate
                assert site.message(id).state is State.SENDING
                first.kill()
                record = site.wait_for(id, State.SENT)
                assert [each.alive(time.time()) for each in site.daemons] == [True]
    assert record.possible_duplicate
    counts = Counter(each.content for each in relay.received)
    twice = [content for content, count in counts.items() if count > 1]
    assert (len(counts), len(twice)) == (21, 1)
    assert record.message_id.encode() in twice[0]


@row(25)
def test_a_kill_before_the_last_dot_sends_the_mail_again(site, make_mail):
    never = threading.Event()
    body = "all work and no play makes mail\n" * 250_000
    with Scripted(during=(1_000_000, Late(never, Drop()))) as relay:
        site.configure(SMTP_PORT=relay.port)
        with site.daemon() as first:
            (id,) = site.send(make_mail(body=body))
            wait_until(lambda: relay.conversations and "DATA" in relay.commands)
            assert site.message(id).state is State.SENDING
            first.kill()
        never.set()
        relay.follow()
        with site.daemon():
            record = site.wait_for(id, State.SENT)
        assert len(relay.received) == 1
    assert record.attempts == 1
    assert [each.outcome for each in site.attempts(id)] == ["sent"]


@row(25)
def test_a_kill_between_the_acceptance_and_the_commit_sends_again_and_marks(site):
    accepted = threading.Event()
    with Scripted({"END": Late(accepted, "250 2.0.0 Ok: first")}) as relay:
        site.configure(SMTP_PORT=relay.port)
        with site.daemon() as first:
            (id,) = site.send()
            wait_until(lambda: relay.received, what="the content")
            with locked(site):
                accepted.set()
                wait_until(lambda: relay.received[0].answered, what="the reply")
                assert site.message(id).state is State.SENDING
                (books,) = children(first.pid)
                first.kill()
                os.kill(books, signal.SIGKILL)
        relay.follow()
        with site.daemon():
            record = site.wait_for(id, State.SENT)
    assert record.possible_duplicate
    assert [each.reply for each in site.attempts(id)] == ["250 2.0.0 Ok: queued"]
    assert len(relay.received) == 2
    assert site.log_lines(f"pid {first.pid} ")[-1].endswith("its mail goes on here")


@row(25)
def test_a_verdict_is_written_although_the_daemon_was_killed(site):
    accepted = threading.Event()
    with Scripted({"END": Late(accepted, OK)}) as relay:
        site.configure(SMTP_PORT=relay.port)
        with site.daemon() as first:
            (id,) = site.send()
            wait_until(lambda: relay.received, what="the content")
            (books,) = children(first.pid)
            with locked(site):
                accepted.set()
                wait_until(lambda: relay.received[0].answered, what="the reply")
                wait_until(lambda: waits_for_lock(books), what="the transaction")
                first.kill()
            record = site.wait_for(id, State.SENT)
            wait_until(lambda: not running(books), what="the end of the child")
    assert not record.possible_duplicate
    assert len(relay.received) == 1


@row(25)
def test_a_daemon_whose_bookkeeper_dies_ends_and_its_mail_is_sent_again(site):
    never = threading.Event()
    with Scripted({"END": [Late(never, Drop()), OK]}) as relay:
        site.configure(SMTP_PORT=relay.port)
        with site.daemon() as first:
            (id,) = site.send()
            wait_until(lambda: relay.received, what="the content")
            (books,) = children(first.pid)
            os.kill(books, signal.SIGKILL)
            site.send()
            assert first.process.wait(PATIENCE_SECONDS) != 0
        assert site.daemons == []
        assert site.log_lines("the process that writes to the queue")
        with site.daemon():
            record = site.wait_for(id, State.SENT)
    assert record.possible_duplicate


@row(25)
def test_the_bookkeeper_of_a_daemon_that_dies_ends(site):
    with site.daemon() as daemon:
        (books,) = children(daemon.pid)
        os.kill(books, signal.SIGTERM)
        os.kill(books, signal.SIGINT)
        assert running(books)
        daemon.kill()
        wait_until(lambda: not running(books), what="the end of the child")


def running(pid: int) -> bool:
    """Whether there is such a process; one that nobody waits for has ended."""
    try:
        return state(pid) != "Z"
    except FileNotFoundError:
        return False
