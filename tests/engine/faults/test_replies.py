"""Row 20: replies that are malformed, endless, or come in pieces."""

from __future__ import annotations

import threading

import pytest
from servers.scripted import Endless, Pieces, Raw
from waiting import wait_until

row = pytest.mark.row
EACH_WAY = pytest.mark.parametrize(
    "extensions", [("PIPELINING",), ()], ids=["pipelining", "one by one"]
)
TWO = ("b@x.org", "c@x.org")
OK = "250 2.0.0 Ok: queued"

MALFORMED = {
    "no code": (Raw(b"okay\r\n"), "sent no SMTP reply: okay"),
    "two codes in a reply": (Raw(b"250-one\r\n550 two\r\n"), "mixed 250 and 550"),
    "an endless line": (Endless(b"250 " + b"x" * 60_000), "an endless line"),
    "an endless reply": (Endless(b"250-more\r\n" * 1000), "an endless reply"),
    "zero octets": (Raw(b"\0" * 100 + b"\r\n"), "sent no SMTP reply: ???"),
}


@row(20)
@EACH_WAY
@pytest.mark.parametrize("phase", ["RCPT:c@x.org", "END"])
@pytest.mark.parametrize("kind", MALFORMED)
def test_what_is_no_reply_ends_the_conversation_and_defers(
    exchange, extensions, phase, kind
):
    answer, words = MALFORMED[kind]
    outcome = exchange({phase: answer}, *TWO, extensions=extensions)
    assert [each[1] for each in outcome.told] == ["deferred", "deferred"]
    assert outcome.record.possible_duplicate == (phase == "END")
    (talk,) = outcome.conversations
    wait_until(lambda: talk.closed)
    assert talk.verbs[-1] != "QUIT"
    for *_, reply in outcome.told:
        assert words in reply
        assert reply.isprintable()
        assert len(reply) < 1100


@row(20)
@EACH_WAY
@pytest.mark.parametrize("delivery", ["coalesced", "bytewise"])
def test_replies_find_their_recipients_however_they_travel(
    exchange, extensions, delivery
):
    everybody = [f"r{n}@x.org" for n in range(12)]
    replies = ["250 2.1.5 yes", "550-5.1.1 no\n550 5.1.1 one", "450 4.2.0 later"]
    answers = {f"RCPT:{each}": replies[n % 3] for n, each in enumerate(everybody)}
    outcome = exchange(answers, *everybody, extensions=extensions, delivery=delivery)
    expected = [
        ("sent", OK),
        ("failed", "550 5.1.1 no one"),
        ("deferred", "450 4.2.0 later"),
    ]
    assert [each[1:] for each in outcome.told] == expected * 4
    assert outcome.accepted[0].recipients == everybody[::3]


@row(20)
@pytest.mark.parametrize("cut", [1, 4, 12, 14])
def test_a_reply_that_comes_in_pieces_is_waited_for(exchange, cut):
    rest = threading.Event()
    whole = b"250-2.1.5 yes\r\n250 2.1.5 still yes\r\n"
    answers = {
        "RCPT:b@x.org": Pieces((whole[:cut], rest, whole[cut:])),
        "RCPT:c@x.org": "550 5.1.1 no",
    }
    timer = threading.Timer(0.1, rest.set)
    timer.start()
    outcome = exchange(answers, *TWO)
    assert outcome.told == [("b", "sent", OK), ("c", "failed", "550 5.1.1 no")]


@row(20)
@EACH_WAY
def test_a_slow_relay_is_waited_for(exchange, extensions):
    answers = {"RCPT:c@x.org": "550 5.1.1 no"}
    outcome = exchange(answers, *TWO, extensions=extensions, round_trip=0.1)
    assert outcome.told == [("b", "sent", OK), ("c", "failed", "550 5.1.1 no")]
