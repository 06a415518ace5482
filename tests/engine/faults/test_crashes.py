"""Killed at any moment, the daemon loses nothing; two of them send nothing twice."""

from __future__ import annotations

import threading
from collections import Counter

from servers.catcher import Catcher
from servers.scripted import Drop, Late, Scripted
from waiting import wait_until

from collective.maildrophost.engine.queue import State, stats


def test_mail_in_flight_at_a_kill_is_sent_again_and_marked(site, make_mail):
    never = threading.Event()
    answers = {"END": [Late(never, Drop()), "250 2.0.0 Ok"]}
    with Scripted(answers) as relay:
        site.configure(SMTP_PORT=relay.port)
        with site.daemon() as first:
            (id,) = site.send(make_mail())
            wait_until(lambda: relay.received, 10, "the content")
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


def test_a_kill_with_many_mails_in_the_queue_loses_none(site, make_mail):
    release = threading.Event()
    fine = "250 2.0.0 Ok"
    answers = {"END": [fine] * 15 + [Late(release, fine)] * 10 + [fine]}
    with Scripted(answers) as relay:
        site.configure(SMTP_PORT=relay.port)
        with site.daemon() as first:
            ids = site.send(*[make_mail(subject=f"n{n}") for n in range(40)])
            # Nine connections at most have a message each, and none has its reply.
            wait_until(lambda: len(relay.received) >= 24, 10, "mail in flight")
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


def test_two_daemons_on_one_queue_send_each_message_once(site, make_mail):
    with Catcher() as relay:
        site.configure(SMTP_PORT=relay.port, MAILDROP_CONCURRENCY=4)
        with site.daemon(), site.daemon(wait=False) as second:
            second.wait_for_heartbeat()
            assert len(site.daemons) == 2
            site.send(*[make_mail(subject=f"n{n}") for n in range(200)])
            relay.wait_for(200, 20)

            def all_sent() -> bool:
                with site.queue.read() as tx:
                    return stats(tx, 0).states[State.SENT] == 200

            wait_until(all_sent, 10, "the last verdict")
        subjects = Counter(each.content for each in relay.messages)
    assert len(subjects) == 200
    assert set(subjects.values()) == {1}


def test_a_reply_that_never_came_marks_the_message(site):
    with Scripted({"END": [Drop(), "250 2.0.0 Ok"]}) as relay:
        site.configure(SMTP_PORT=relay.port)
        with site.daemon():
            (id,) = site.send()
            record = site.wait_for(id, State.SENT)
    assert record.possible_duplicate
    assert record.attempts == 2
