"""Trouble with the queue or with one message stops nothing for long."""

from __future__ import annotations

import threading

from servers.catcher import Catcher
from servers.scripted import Late, Scripted
from waiting import wait_until

from collective.maildrophost.engine.daemon.process import run
from collective.maildrophost.engine.message import Lane
from collective.maildrophost.engine.queue import State
from collective.maildrophost.engine.smtp import Connection


def test_a_verdict_is_kept_while_the_queue_is_away(site):
    answered = threading.Event()
    with Scripted({"END": Late(answered, "250 2.0.0 Ok")}) as relay:
        site.configure(SMTP_PORT=relay.port)
        with site.daemon() as daemon:
            (id,) = site.send()
            wait_until(lambda: relay.received, 10, "the content")
            away = site.queue.path.with_suffix(".away")
            site.queue.path.rename(away)
            answered.set()
            wait_until(
                lambda: site.log_lines("1 verdicts wait to be written"), 10, "the error"
            )
            away.rename(site.queue.path)
            record = site.wait_for(id, State.SENT)
            assert daemon.process.poll() is None
        assert len(relay.received) == 1
    assert not record.possible_duplicate


def test_a_message_that_breaks_the_daemon_is_deferred_and_the_others_go(
    site, make_mail, monkeypatch
):
    deliver = Connection.deliver

    async def break_sometimes(self, sender, recipients, content):
        if b"Subject: breaks" in content:
            raise ZeroDivisionError("sesame-7")
        return await deliver(self, sender, recipients, content)

    monkeypatch.setattr(Connection, "deliver", break_sometimes)
    with Catcher() as relay:
        site.configure(SMTP_PORT=relay.port)
        breaks, *others = site.send(
            make_mail(subject="breaks"), *[make_mail() for _ in range(12)]
        )
        assert run(site.configuration, once=True) == 0
        assert len(relay.messages) == 12
    record = site.message(breaks)
    assert (record.state, record.attempts) == (State.DEFERRED, 1)
    assert record.recipients[0].reply.startswith("internal error (ZeroDivisionError)")
    assert {site.message(id).state for id in others} == {State.SENT}


def test_no_connection_takes_more_messages_than_the_batch(site, make_mail):
    with Scripted() as relay:
        site.configure(SMTP_PORT=relay.port, MAILDROP_BATCH=3, MAILDROP_CONCURRENCY=1)
        site.send(*[make_mail() for _ in range(8)])
        assert site.once() == 0
    assert [len(each.received) for each in relay.conversations] == [3, 3, 2]
    assert all(each.verbs[-1] == "QUIT" for each in relay.conversations)


def test_one_connection_takes_many_messages_without_a_batch(site, make_mail):
    with Scripted() as relay:
        site.configure(SMTP_PORT=relay.port, MAILDROP_CONCURRENCY=1)
        site.send(*[make_mail() for _ in range(8)])
        assert site.once() == 0
    assert [len(each.received) for each in relay.conversations] == [8]


def test_mails_keep_the_pace_over_all_connections(site, make_mail):
    with Scripted() as relay:
        site.configure(SMTP_PORT=relay.port, WAIT_INTERVAL=0.2)
        site.send(*[make_mail() for _ in range(4)])
        assert site.once() == 0
        times = [each.time for each in relay.received]
    assert len(times) == 4
    # What counts is when a mail starts, so a reply may come a little closer.
    assert times[-1] - times[0] >= 3 * 0.2 - 0.1


def test_a_relay_that_takes_few_recipients_at_once_gets_all_of_them(site, make_mail):
    everybody = [f"r{n}@example.org" for n in range(5)]
    answers = {
        f"RCPT:{each}": ["452 4.5.3 too many recipients", "250 2.1.5 ok"]
        for each in everybody[3:]
    }
    with Scripted(answers) as relay:
        site.configure(SMTP_PORT=relay.port)
        (id,) = site.send(make_mail(*everybody))
        assert site.once() == 0
        assert [each.recipients for each in relay.accepted] == [
            everybody[:3],
            everybody[3:],
        ]
    assert site.message(id).state is State.SENT


def test_a_relay_that_closes_an_idle_connection_is_simply_called_again(site):
    answers = {"MAIL": ["250 2.1.0 ok", "421 4.4.2 idle too long", "250 2.1.0 ok"]}
    with Scripted(answers) as relay:
        site.configure(SMTP_PORT=relay.port)
        with site.daemon():
            (first,) = site.send()
            site.wait_for(first, State.SENT)
            (second,) = site.send()
            record = site.wait_for(second, State.SENT)
        assert len(relay.conversations) == 2
    assert record.attempts == 1


def test_a_password_overtakes_all_that_is_slow(site, make_mail):
    """Every other connection hangs: the one for interactive mail is still free."""
    never = threading.Event()
    slow = {
        f"RCPT:{lane.label}@x.org": Late(never, "250 ok") for lane in list(Lane)[1:]
    }
    with Scripted(slow) as relay:
        site.configure(
            SMTP_PORT=relay.port, MAILDROP_CONCURRENCY=4, MAILDROP_STOP_TIMEOUT=0
        )
        lanes = [Lane.NORMAL, Lane.BULK, Lane.BULK, Lane.BULK, Lane.BULK, Lane.NORMAL]
        with site.daemon():
            site.send(*[make_mail(f"{lane.label}@x.org", lane=lane) for lane in lanes])
            wait_until(lambda: len(relay.conversations) >= 3, 10, "slow mail")
            site.send(make_mail("me@x.org", lane=Lane.INTERACTIVE))
            assert relay.wait_for(1)[0].recipients == ["me@x.org"]
        assert len(relay.conversations) == 4
