"""Rows 15 to 17 and 19: the content, and what the relay says after it."""

from __future__ import annotations

import email
import email.policy

import pytest
from engine.faults.telling import told
from servers.scripted import EXTENSIONS, Drop, Hang, Raw
from waiting import wait_until

from collective.maildrophost.engine.queue import content
from collective.maildrophost.engine.smtp import Timeouts

row = pytest.mark.row
TWO = ("b@x.org", "c@x.org")
OK = "250 2.0.0 Ok: queued"
LETTER = """\
Subject: Grüße
Content-Type: text/plain; charset=utf-8
Content-Transfer-Encoding: 8bit

Hällo
""".encode()


@row(15)
@pytest.mark.parametrize(
    ("reply", "verdict"),
    [
        ("451 4.3.0 not now", "deferred"),
        ("452 4.3.1 disk full", "deferred"),
        ("552 5.3.4 too big", "failed"),
        ("554-5.7.1 looks\n554 5.7.1 like spam", "failed"),
        ("503 5.5.1 what?", "failed"),
    ],
)
def test_a_refusal_after_the_content_is_for_the_accepted_recipients(
    exchange, reply, verdict
):
    answers = {"END": reply, "RCPT:c@x.org": "450 4.2.0 later"}
    outcome = exchange(answers, *TWO)
    words = reply.replace("\n554 5.7.1", "").replace("554-", "554 ")
    assert outcome.told == [("b", verdict, words), ("c", "deferred", "450 4.2.0 later")]
    assert outcome.accepted == []
    assert not outcome.record.possible_duplicate
    assert exchange.site.pauses == []


@row(15)
def test_what_is_refused_after_the_content_is_sent_later(exchange):
    assert exchange({"END": ["451 4.3.0 not now", OK]}).state == "deferred"
    outcome = exchange.again()
    assert outcome.told == [
        ("b", "deferred", "451 4.3.0 not now"),
        ("b", "sent", OK),
    ]
    assert not outcome.record.possible_duplicate


@row(16)
@pytest.mark.parametrize(
    "reply",
    [
        "250 2.0.0 Ok: queued as 4F2",
        "251 will forward",
        "252 2.0.0 try",
        "299 9",
        "250",
    ],
)
def test_any_2xx_after_the_content_means_sent_and_its_text_is_kept(exchange, reply):
    outcome = exchange({"END": reply}, *TWO)
    assert outcome.state == "sent"
    assert outcome.told == [("b", "sent", reply), ("c", "sent", reply)]
    assert [each.reply for each in outcome.record.recipients] == [reply, reply]
    assert len(outcome.accepted) == 1


NO_REPLY = {
    "a drop": Drop(),
    "a reset": Drop(reset=True),
    "a drop in the reply": Drop(b"250 2.0.0 O"),
    "no SMTP": Raw(b"\r\n"),
    "silence": Hang(),
}


@row(17)
@pytest.mark.parametrize("kind", NO_REPLY)
def test_content_without_a_reply_is_sent_again_and_marked(exchange, kind):
    first = exchange({"END": [NO_REPLY[kind], OK]}, *TWO)
    assert first.state == "deferred"
    assert [each[1] for each in first.told] == ["deferred", "deferred"]
    assert first.record.possible_duplicate
    lines = exchange.site.log_lines(f"id={exchange.id} ")
    assert [line.endswith(" possible_duplicate") for line in lines] == [True, True]
    second = exchange.again()
    assert second.state == "sent"
    assert second.record.possible_duplicate
    # Whoever got it twice can tell by its Message-Id.
    twice = [each.content for each in exchange.relay.received]
    assert len(twice) == 2
    assert twice[0] == twice[1]
    assert second.record.message_id.encode() in twice[0]


@row(17)
def test_who_was_refused_has_failed_whatever_becomes_of_the_content(exchange):
    answers = {"END": Drop(), "RCPT:c@x.org": "550 5.1.1 no"}
    outcome = exchange(answers, *TWO)
    assert [each[:2] for each in outcome.told] == [("b", "deferred"), ("c", "failed")]
    assert outcome.record.possible_duplicate


@row(17)
def test_a_reply_to_the_content_is_waited_for_ten_minutes():
    """RFC 5321 section 4.5.3.2.6; whoever gives up earlier sends twice."""
    assert Timeouts().end == 600


@row(19)
def test_mail_larger_than_the_relay_takes_fails_without_being_sent(exchange):
    outcome = exchange({}, *TWO, content="x" * 500, extensions=("SIZE 400",))
    assert outcome.state == "failed"
    for _, verdict, reply in outcome.told:
        assert verdict == "failed"
        assert reply.startswith("5.3.4 ")
        assert reply.endswith("the relay takes 400")
    assert not {"MAIL", "DATA"} & set(outcome.conversations[0].verbs)
    assert exchange.site.pauses == []
    # It stays whole, for a person and for a larger relay.
    with exchange.site.queue.read() as tx:
        assert content(tx, exchange.id).endswith(b"x" * 500)


@row(19)
@pytest.mark.parametrize("size", ["SIZE", "SIZE 0", "SIZE 5000"])
def test_mail_that_the_relay_has_room_for_is_sent(exchange, size):
    assert exchange({}, content="x" * 500, extensions=(size,)).state == "sent"


@row(19)
def test_a_recipient_that_needs_smtputf8_fails_alone_where_it_is_not_offered(exchange):
    both = "jörg@müller.example", "c@x.org"
    outcome = exchange({}, *both, content=LETTER, extensions=("8BITMIME",))
    assert outcome.state == "failed"
    (first, second) = outcome.told
    assert first[:2] == ("jörg", "failed")
    assert first[2].startswith("5.6.7 jörg@müller.example needs")
    assert second == ("c", "sent", OK)
    (received,) = outcome.accepted
    assert received.recipients == ["c@x.org"]
    assert received.content.partition(b"\r\n\r\n")[0].isascii()
    assert exchange.site.pauses == []


@row(19)
def test_a_recipient_that_needs_smtputf8_has_the_mail_where_it_is_offered(exchange):
    one = "jörg@müller.example"
    outcome = exchange({}, one, content=LETTER, extensions=EXTENSIONS)
    assert outcome.state == "sent"
    assert any(each.endswith(" BODY=8BITMIME SMTPUTF8") for each in outcome.commands)
    (received,) = outcome.accepted
    assert received.recipients == ["jörg@xn--mller-kva.example"]
    assert received.content.endswith(LETTER.replace(b"\n", b"\r\n"))


@row(19)
def test_eight_bits_become_seven_where_the_relay_takes_only_those(exchange):
    outcome = exchange({}, content=LETTER, extensions=("PIPELINING",))
    assert outcome.state == "sent"
    (received,) = outcome.accepted
    assert received.content.isascii()
    letter = email.message_from_bytes(received.content, policy=email.policy.default)
    assert letter["Subject"] == "Grüße"
    assert letter.get_content().strip() == "Hällo"
    assert not any("BODY" in each for each in outcome.commands)


@row(19)
def test_eight_bits_stay_where_the_relay_takes_them(exchange):
    outcome = exchange({}, content=LETTER, extensions=("8BITMIME",))
    assert outcome.state == "sent"
    assert LETTER.partition(b"\n\n")[2].strip() in outcome.accepted[0].content
    assert any(each.endswith(" BODY=8BITMIME") for each in outcome.commands)


@row(16)
def test_a_message_that_was_sent_leaves_only_its_record(exchange):
    assert exchange({}).state == "sent"
    with exchange.site.queue.read() as tx:
        assert content(tx, exchange.id) is None
    assert told(exchange.site, exchange.id) == [("b", "sent", OK)]
    wait_until(lambda: exchange.relay.conversations[0].closed)
