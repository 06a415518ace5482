"""What a relay does not take: parameters of MAIL, sizes, addresses, eight bits."""

from __future__ import annotations

import pytest
from engine.smtp.driving import drive, session
from engine.smtp.transactions import CONTENT, TWO, lines, run, words

from collective.maildrophost.engine.smtp.capabilities import Capabilities
from collective.maildrophost.engine.smtp.offer import needs_smtputf8
from collective.maildrophost.engine.smtp.transaction import deliver


def test_the_parameters_of_mail_are_those_the_relay_offers():
    def mail(content, *keywords, sender="a@x.org"):
        talk = session(*keywords)
        done = drive(deliver(talk, sender, TWO, content), talk.replies, [])
        return done.writes[0]

    assert mail(b"x\n", "SIZE") == b"MAIL FROM:<a@x.org> SIZE=3\r\n"
    assert mail(b"x\n", "8BITMIME") == b"MAIL FROM:<a@x.org>\r\n"
    assert mail(b"\xff\n", "8BITMIME") == b"MAIL FROM:<a@x.org> BODY=8BITMIME\r\n"
    assert (
        mail(b"x\n", "SMTPUTF8", sender="ä@x.org")
        == "MAIL FROM:<ä@x.org> SMTPUTF8\r\n".encode()
    )
    assert mail(b"x\n", "SMTPUTF8", sender="") == b"MAIL FROM:<>\r\n"


def test_smtputf8_is_asked_for_only_when_an_address_that_can_go_needs_it():
    def asked(sender, *recipients, keyword="SMTPUTF8"):
        return needs_smtputf8(sender, recipients, Capabilities({keyword: ""}))

    assert asked("ä@example.org", "b@example.org")
    assert asked("", "b@example.org", "ö@example.org")
    assert not asked("", "b@example.org", "c@müller.example")
    assert not asked("a@example.org", "ö bad@example.org")
    assert not asked("ä@example.org", "b@example.org", keyword="SIZE")


def test_smtputf8_is_not_asked_for_on_behalf_of_the_next_transaction():
    everybody = [f"r{n}@example.org" for n in range(100)] + ["ü@example.org"]
    replies = lines("250", *["250"] * 100, "354", "250 ok")
    done = run(replies, "SMTPUTF8", recipients=everybody)
    assert done.writes[0] == b"MAIL FROM:<a@example.org>\r\n"
    assert not needs_smtputf8("a@example.org", everybody, done.session.capabilities)
    assert needs_smtputf8("", everybody[-1:], done.session.capabilities)


def test_a_message_above_the_size_limit_fails_without_a_command():
    talk = session()
    talk.capabilities.extensions["SIZE"] = "20"
    done = drive(deliver(talk, "a@x.org", TWO, b"x" * 30), talk.replies, [])
    assert words(done.result) == ["failed"] * 2
    assert done.result.verdicts[0].reply.startswith("5.3.4 ")
    assert done.writes == []
    assert done.result.usable


@pytest.mark.parametrize("size", ["", "0", "many", "-1", "30"])
def test_a_meaningless_size_limit_stops_nothing(size):
    talk = session()
    talk.capabilities.extensions["SIZE"] = size
    done = drive(deliver(talk, "a@x.org", TWO, b"x" * 28), talk.replies, [])
    assert done.writes


def test_one_address_that_cannot_go_does_not_stop_the_others():
    bad = ["ä@x.org", "b@x.org", "c\r\nRCPT TO:<evil@x.org>", "d@müller.example"]
    done = run(lines("250", "250", "250", "354", "250 ok"), recipients=bad)
    assert words(done.result) == ["failed", "sent", "failed", "sent"]
    assert b"evil" not in b"".join(done.writes)
    assert b"RCPT TO:<d@xn--mller-kva.example>\r\n" in done.writes


def test_a_sender_that_cannot_go_fails_all_without_a_command():
    talk = session()
    done = drive(deliver(talk, "a>\r\nDATA", TWO, CONTENT), talk.replies, [])
    assert words(done.result) == ["failed"] * 2
    assert done.writes == []


def test_a_relay_that_refused_ehlo_defers_what_needs_smtputf8():
    talk = session()
    talk.capabilities = type(talk.capabilities)(extended=False)
    done = drive(
        deliver(talk, "a@x.org", ["ä@x.org", "b@x.org"], CONTENT),
        talk.replies,
        lines("250", "250", "354", "250 ok"),
    )
    assert words(done.result) == ["deferred", "sent"]
    assert done.result.fault is None


@pytest.mark.parametrize(
    ("sender", "to", "content", "lacks"),
    [
        ("a@x.org", ["ä@x.org", "ö@x.org"], CONTENT, "4.6.7 ä@x.org needs SMTPUTF8"),
        ("ä@x.org", ["b@x.org"], CONTENT, "4.6.7 ä@x.org needs SMTPUTF8"),
        ("a@x.org", ["b@x.org"], b"\xff\n", "4.6.3 a signed part has 8-bit octets"),
    ],
)
def test_a_relay_that_refused_ehlo_is_at_fault_when_all_of_a_mail_needs_it(
    sender, to, content, lacks
):
    talk = session()
    talk.capabilities = type(talk.capabilities)(extended=False)
    done = drive(deliver(talk, sender, to, content), talk.replies, [])
    assert done.writes == []
    assert done.result.fault.reason.startswith(lacks)
    assert not any(done.result.verdicts)


def test_eight_bits_that_cannot_be_converted_never_go_to_a_seven_bit_relay():
    talk = session()
    talk.capabilities = type(talk.capabilities)(extended=True)
    done = drive(deliver(talk, "a@x.org", TWO, b"\xff\n"), talk.replies, [])
    assert done.writes == []
    assert {each.reply[:6] for each in done.result.verdicts} == {"5.6.3 "}
    assert words(done.result) == ["failed"] * 2
    assert done.result.fault is None
