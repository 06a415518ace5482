"""Rows 11 to 14, 18, 21 and 22: a conversation that goes wrong at any of its steps."""

from __future__ import annotations

import threading

import pytest
from engine.faults.telling import assert_relay_fault, told
from servers.scripted import Drop, Hang, Late, Pieces, Scripted
from waiting import wait_until

from collective.maildrophost.engine.queue import State

row = pytest.mark.row
EACH_WAY = pytest.mark.parametrize(
    "extensions", [("PIPELINING",), ()], ids=["pipelining", "one by one"]
)
TWO = ("b@x.org", "c@x.org")
CLOSING = Drop(b"421 4.3.2 going down\r\n")
NEVER = Late(threading.Event(), "221 2.0.0 bye")
"""Hangs as Hang does, but the daemon stays the patient one."""
OK = "250 2.0.0 Ok: queued"


@row(11)
@EACH_WAY
@pytest.mark.parametrize("answer", [Hang(), Drop(), CLOSING, "500 no"])
def test_verdicts_stand_when_the_reset_after_them_goes_wrong(
    site, impatient, hangs, make_mail, extensions, answer
):
    if hangs:
        impatient({"rset": 0.5})
    refused = {
        "RCPT:b@x.org": "550 5.1.1 no",
        "RCPT:c@x.org": "450 4.2.0 later",
        "RSET": answer,
    }
    with Scripted(refused, extensions=extensions) as relay:
        site.configure(
            SMTP_PORT=relay.port, MAILDROP_CONCURRENCY=1, MAILDROP_RETRY_MIN=60
        )
        refused, next_one = site.send(make_mail(*TWO), make_mail("d@x.org"))
        assert site.once() == 0
        # The broken connection is given up, the next message goes over another one.
        assert [each.verbs[-1] for each in relay.conversations][1:] == ["QUIT"]
        assert [each.recipients for each in relay.accepted] == [["d@x.org"]]
    assert told(site, refused) == [
        ("b", "failed", "550 5.1.1 no"),
        ("c", "deferred", "450 4.2.0 later"),
    ]
    assert told(site, next_one) == [("d", "sent", OK)]
    assert site.pauses == []


@row(12)
@EACH_WAY
@pytest.mark.parametrize("phase", ["MAIL", "RCPT:d@x.org", "DATA", "END"])
def test_a_421_defers_what_has_no_verdict_yet(exchange, extensions, phase):
    answers = {"RCPT:c@x.org": "550 5.1.1 no", phase: CLOSING}
    outcome = exchange(answers, *TWO, "d@x.org", extensions=extensions)
    assert outcome.state == "deferred"
    closing = ("deferred", "421 4.3.2 going down")
    refused = closing if phase == "MAIL" else ("failed", "550 5.1.1 no")
    assert outcome.told == [("b", *closing), ("c", *refused), ("d", *closing)]
    assert not outcome.record.possible_duplicate
    assert outcome.accepted == []
    assert len(outcome.conversations) == 1
    assert exchange.site.pauses == []


IDLE = {
    "421 to the next message": {"MAIL": ["250 ok", CLOSING, "250 ok"]},
    "421 in so many words": {"MAIL": ["250 ok", "421 4.4.2 idle", "250 ok"]},
    "a drop at the next message": {"MAIL": ["250 ok", Drop(), "250 ok"]},
    "a reset at the next message": {"MAIL": ["250 ok", Drop(reset=True), "250 ok"]},
    # OpenSMTPD 6.8, after a hundred.
    "that it has had its share": {
        "MAIL": ["250 ok", "452 4.5.3 Too many messages sent", "250 ok"]
    },
}


@row(12)
@EACH_WAY
@pytest.mark.parametrize("kind", IDLE)
def test_a_relay_that_takes_no_more_over_an_idle_connection_is_called_again_at_once(
    site, extensions, kind
):
    with Scripted(IDLE[kind], extensions=extensions) as relay:
        site.configure(SMTP_PORT=relay.port, MAILDROP_RETRY_MIN=60)
        ids = site.send() + site.send()
        site.configure(MAILDROP_CONCURRENCY=1)
        assert site.once() == 0
        assert len(relay.conversations) == 2
    for id in ids:
        assert told(site, id) == [("b", "sent", OK)]
    assert site.pauses == []


@row(12)
def test_a_connection_that_was_closed_while_idle_is_not_used_again(site):
    closing = threading.Event()
    answer = Pieces((b"250 2.0.0 Ok: queued\r\n", closing, b"421 4.4.2 idle\r\n"))
    with Scripted({"END": [answer, OK]}) as relay:
        site.configure(SMTP_PORT=relay.port)
        with site.daemon():
            (first,) = site.send()
            site.wait_for(first, State.SENT)
            closing.set()
            (second,) = site.send()
            assert site.wait_for(second, State.SENT).attempts == 1
        assert [len(each.received) for each in relay.conversations] == [1, 1]


@row(12)
def test_a_relay_that_closes_every_connection_is_called_again_only_once(site):
    with Scripted({"MAIL": ["250 ok", CLOSING]}) as relay:
        site.configure(
            SMTP_PORT=relay.port, MAILDROP_CONCURRENCY=1, MAILDROP_RETRY_MIN=60
        )
        first, second = site.send() + site.send()
        assert site.once() == 0
        assert len(relay.conversations) == 2
    assert told(site, first) == [("b", "sent", OK)]
    assert told(site, second) == [("b", "deferred", "421 4.3.2 going down")]


@row(13)
@EACH_WAY
@pytest.mark.parametrize(
    ("reply", "verdict"),
    [("451 4.3.0 not now", "deferred"), ("554 5.7.1 no", "failed")],
)
def test_a_refusal_of_data_is_for_the_accepted_recipients(
    exchange, extensions, reply, verdict
):
    answers = {"RCPT:c@x.org": "450 4.2.0 full", "DATA": reply}
    outcome = exchange(answers, *TWO, extensions=extensions)
    assert outcome.told == [("b", verdict, reply), ("c", "deferred", "450 4.2.0 full")]
    assert outcome.accepted == []
    assert exchange.site.pauses == []


@row(13)
@pytest.mark.parametrize("code", [500, 504])
def test_a_relay_that_knows_no_data_is_at_fault(site, code):
    with Scripted({"DATA": [f"{code} what?", "354 go"]}) as relay:
        site.configure(SMTP_PORT=relay.port)
        (id,) = site.send()
        assert site.once() == 1
        assert_relay_fault(site, f"{code} what?", id, error=True)
        assert site.once() == 0
    assert told(site, id) == [("b", "sent", OK)]


@row(13)
def test_a_relay_that_knows_no_data_takes_no_verdict_back(site, make_mail):
    with Scripted({"RCPT:c@x.org": "550 5.1.1 no", "DATA": "502 what?"}) as relay:
        site.configure(SMTP_PORT=relay.port)
        (id,) = site.send(make_mail(*TWO))
        assert site.once() == 1
        assert "502 what?" in site.pauses[0].fault
    assert told(site, id) == [("c", "failed", "550 5.1.1 no")]
    record = site.message(id)
    assert (record.state, record.due) == (State.DEFERRED, record.created)


@row(14)
@pytest.mark.parametrize(
    ("answer", "verdict"),
    [
        (Drop(b"552 5.3.4 too big\r\n"), "failed"),
        (Drop(b"552 5.3.4 too big\r\n", reset=True), None),
        (Drop(b"452 4.3.1 disk full\r\n"), "deferred"),
        ("554 5.6.0 spam", "failed"),
    ],
)
def test_a_reply_in_the_middle_of_the_content_is_heard(
    exchange, large_content, answer, verdict
):
    outcome = exchange({}, content=large_content, during=(200_000, answer))
    ((_, found, reply),) = outcome.told
    if verdict is None:
        # A reset may overtake the reply, which is then lost: never more than deferred.
        assert found == "deferred" or reply == "552 5.3.4 too big"
    else:
        said = answer.data.decode().strip() if isinstance(answer, Drop) else answer
        assert (found, reply) == (verdict, said)
    assert not outcome.record.possible_duplicate
    assert outcome.accepted == []


@row(14)
def test_an_acceptance_in_the_middle_of_the_content_does_not_count(
    exchange, large_content
):
    outcome = exchange({}, content=large_content, during=(200_000, "250 2.0.0 ok"))
    assert outcome.state == "deferred"
    assert "answered half the content" in outcome.told[0][2]
    assert outcome.accepted == []


@row(18)
@EACH_WAY
@pytest.mark.parametrize("phase", ["MAIL", "RCPT:c@x.org", "DATA"])
@pytest.mark.parametrize("answer", [Hang(), Drop(), Drop(b"25"), Drop(reset=True)])
def test_a_conversation_that_ends_before_the_content_is_deferred_without_a_mark(
    exchange, extensions, phase, answer
):
    outcome = exchange({phase: answer}, *TWO, extensions=extensions)
    assert outcome.state == "deferred"
    assert [each[1] for each in outcome.told] == ["deferred", "deferred"]
    assert not outcome.record.possible_duplicate
    assert outcome.accepted == []
    assert exchange.site.pauses == []


@row(18)
@pytest.mark.parametrize("octets", [1, 200_001, 2_000_000])
@pytest.mark.parametrize("answer", [Hang(), Drop(), Drop(reset=True)])
def test_a_conversation_that_ends_in_the_content_is_deferred_without_a_mark(
    exchange, large_content, octets, answer
):
    outcome = exchange({}, content=large_content, during=(octets, answer))
    assert outcome.state == "deferred"
    assert not outcome.record.possible_duplicate
    assert " possible_duplicate" not in exchange.site.log_lines(f"id={exchange.id} ")[0]
    (talk,) = outcome.conversations
    assert talk.received == []
    wait_until(lambda: isinstance(answer, Hang) or len(talk.unfinished) == octets)


@row(21)
@pytest.mark.parametrize("answer", [NEVER, Drop(), Drop(reset=True), CLOSING, "500 x"])
def test_a_goodbye_that_goes_wrong_takes_nothing_back(exchange, answer):
    outcome = exchange({"QUIT": answer})
    assert outcome.state == "sent"
    assert outcome.told == [("b", "sent", OK)]
    (talk,) = outcome.conversations
    wait_until(lambda: "QUIT" in talk.verbs)
    assert not outcome.record.possible_duplicate
    assert exchange({}).state == "sent"
    assert exchange.site.pauses == []
    assert "Traceback" not in exchange.site.log


@row(21)
def test_a_reset_that_goes_wrong_after_an_acceptance_takes_nothing_back(
    site, impatient, make_mail
):
    """With a recipient left over, the next transaction begins on the connection."""
    impatient({"rset": 0.5})
    answers = {"RCPT:c@x.org": ["452 4.5.3 too many", "250 ok"], "RSET": Hang()}
    with Scripted(answers) as relay:
        site.configure(SMTP_PORT=relay.port)
        (id,) = site.send(make_mail(*TWO))
        assert site.once() == 0
        accepted = [each.recipients for each in relay.accepted]
        assert accepted == [["b@x.org"], ["c@x.org"]]
    assert told(site, id) == [("b", "sent", OK), ("c", "sent", OK)]


@row(22)
@pytest.mark.parametrize(
    ("reply", "verdict"),
    [
        ("250 5.1.1 does not exist", "sent"),
        ("250 4.2.2 full", "sent"),
        ("450 5.1.1 does not exist", "deferred"),
        ("550 4.2.2 full", "failed"),
        ("550 2.0.0 ok", "failed"),
    ],
)
@pytest.mark.parametrize("phase", ["RCPT:b@x.org", "END"])
def test_the_reply_code_wins_over_the_enhanced_status(exchange, phase, reply, verdict):
    outcome = exchange({phase: reply}, "b@x.org")
    accepted = phase != "END" and verdict == "sent"
    assert outcome.told == [("b", verdict, OK if accepted else reply)]


@row(18)
def test_a_daemon_that_waits_for_one_reply_sends_other_mail(exchange):
    """A hanging conversation holds up nobody but its own message."""
    answered = threading.Event()
    exchange.begin({"END": [Late(answered, OK), OK]})
    wait_until(lambda: exchange.relay.received, what="the content")
    others = exchange.site.send(*[exchange.message(f"r{n}@x.org") for n in range(5)])
    for id in others:
        exchange.site.wait_for(id, State.SENT)
    assert exchange.site.message(exchange.id).state is State.SENDING
    answered.set()
    assert exchange.site.wait_for(exchange.id, State.SENT).attempts == 1
