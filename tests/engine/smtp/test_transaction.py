"""The verdicts of one transaction, byte by byte and without a network."""

from __future__ import annotations

from contextlib import suppress

import pytest
from engine.smtp.driving import drive, session
from hypothesis import given, settings
from hypothesis import strategies as st

from collective.maildrophost.engine.config import Secret
from collective.maildrophost.engine.smtp import Login, RelayFault, Security
from collective.maildrophost.engine.smtp.opening import open_session
from collective.maildrophost.engine.smtp.transaction import deliver

TWO = ["b@example.org", "c@example.org"]
CONTENT = b"Subject: x\r\n\r\nbody\r\n"


def run(chunks, *keywords, recipients=TWO, content=CONTENT, **options):
    talk = session(*keywords, **options)
    done = drive(
        deliver(talk, "a@example.org", recipients, content), talk.replies, chunks
    )
    done.session = talk
    return done


def lines(*replies):
    return [reply.encode() + b"\r\n" for reply in replies]


def words(result):
    return [verdict and verdict.outcome.value for verdict in result.verdicts]


def test_with_pipelining_the_envelope_is_one_write_and_the_content_another():
    done = run(lines("250 a", "250 b", "250 c", "354 d", "250 e"), "PIPELINING")
    assert done.writes == [
        b"MAIL FROM:<a@example.org>\r\nRCPT TO:<b@example.org>\r\n"
        b"RCPT TO:<c@example.org>\r\nDATA\r\n",
        CONTENT + b".\r\n",
    ]
    assert words(done.result) == ["sent", "sent"]
    assert done.result.usable


def test_without_it_every_command_waits_for_its_reply():
    done = run(lines("250 a", "250 b", "250 c", "354 d", "250 e"))
    assert done.heard == [0, 1, 2, 3, 4]
    assert words(done.result) == ["sent", "sent"]


@pytest.mark.parametrize("code", ["200", "250", "251", "252", "299"])
def test_any_2xx_after_the_data_is_sent_with_its_text(code):
    done = run(lines("250", "250", "250", "354", f"{code} 2.6.0 as you like"))
    assert words(done.result) == ["sent", "sent"]
    assert done.result.verdicts[0].reply == f"{code} 2.6.0 as you like"


@pytest.mark.parametrize(
    ("first", "second", "expected"),
    [
        ("250 ok", "550 5.1.1 no", ["sent", "failed"]),
        ("450 4.2.0 grey", "250 ok", ["deferred", "sent"]),
        ("550 no", "450 grey", ["failed", "deferred"]),
        ("251 forwards", "252 perhaps", ["sent", "sent"]),
        ("450 5.1.1 the code wins", "550 4.2.0 the code wins", ["deferred", "failed"]),
        ("250 5.1.1 the code wins", "250 4.0.0 the code wins", ["sent", "sent"]),
    ],
)
@pytest.mark.parametrize("keywords", [(), ("PIPELINING",)])
def test_every_recipient_has_a_verdict_of_its_own(first, second, expected, keywords):
    refused = "sent" not in expected
    end = ["554 none"] if keywords else []
    rest = end if refused else ["354 go", "250 ok"]
    done = run(lines("250 a", first, second, *rest), *keywords)
    assert words(done.result) == expected
    assert done.result.usable


@pytest.mark.parametrize("keywords", [(), ("PIPELINING",)])
@pytest.mark.parametrize(
    ("reply", "expected"), [("450 x", "deferred"), ("550 x", "failed")]
)
def test_a_refused_sender_decides_for_all(reply, expected, keywords):
    done = run(lines(reply, *["503 MAIL first"] * 3), *keywords)
    assert words(done.result) == [expected] * 2
    assert {verdict.reply for verdict in done.result.verdicts} == {reply}
    assert done.result.usable
    assert not done.session.reset_due


@pytest.mark.parametrize("reply", ["530 login", "550 5.7.0 login", "530 5.7.1 login"])
def test_a_missing_login_is_the_relays_fault_and_bounces_nothing(reply):
    done = run(lines(reply, reply, reply, reply), "PIPELINING")
    assert words(done.result) == [None, None]
    assert isinstance(done.result.fault, RelayFault)
    assert done.result.fault.permanent
    assert not done.result.usable


def test_a_missing_login_that_is_told_late_bounces_nothing():
    done = run(lines("250 ok", "530 5.7.0 login", "530 5.7.0 login"))
    assert words(done.result) == [None, None]
    assert done.result.fault.permanent


def test_a_deferral_with_5_7_0_is_a_deferral():
    assert words(run(lines("450 5.7.0 x")).result) == ["deferred"] * 2


@pytest.mark.parametrize(
    "reply", ["452 4.5.3 too many", "452 too many", "552 too many", "552 5.5.3 x"]
)
def test_too_many_recipients_go_with_the_next_transaction(reply):
    done = run(lines("250", "250", reply, "354", "250 ok"))
    assert words(done.result) == ["sent", None]
    assert done.result.fault is None
    assert done.result.usable


@pytest.mark.parametrize("keywords", [(), ("PIPELINING",)])
def test_no_transaction_has_more_recipients_than_every_relay_takes(keywords):
    everybody = [f"r{n}@example.org" for n in range(103)]
    replies = lines("250", *["250"] * 100, "354", "250 ok")
    done = run(replies, *keywords, recipients=everybody)
    assert b"".join(done.writes).count(b"RCPT TO:") == 100
    assert words(done.result) == ["sent"] * 100 + [None] * 3
    assert done.result.usable


def test_a_refused_sender_decides_for_those_who_were_not_offered_too():
    everybody = [f"r{n}@example.org" for n in range(103)]
    done = run(lines("550 no", *["503"] * 101), "PIPELINING", recipients=everybody)
    assert words(done.result) == ["failed"] * 103


def test_a_relay_that_has_enough_is_offered_no_more():
    everybody = [*TWO, "d@example.org"]
    replies = lines("250", "250", "452 4.5.3 too many", "354", "250 ok")
    done = run(replies, recipients=everybody)
    assert words(done.result) == ["sent", None, None]
    assert done.result.usable


def test_452_that_may_be_of_one_recipient_ends_nothing():
    everybody = [*TWO, "d@example.org"]
    done = run(lines("250", "250", "452", "250", "354", "250"), recipients=everybody)
    assert words(done.result) == ["sent", None, "sent"]


@pytest.mark.parametrize(
    ("reply", "expected"),
    [("452 4.5.3 x", "deferred"), ("452 x", "deferred"), ("552 5.2.2 full", "failed")],
)
def test_the_first_recipient_is_never_too_many(reply, expected):
    done = run(lines("250", reply, "250", "354", "250 ok"))
    assert words(done.result) == [expected, "sent"]


def test_452_for_another_reason_is_a_deferral():
    done = run(lines("250", "250", "452 4.3.1 disk full", "354", "250 ok"))
    assert words(done.result) == ["sent", "deferred"]


def test_354_without_a_recipient_is_ended_by_a_lone_dot_that_counts_for_nobody():
    replies = lines("250", "550 no", "450 no", "354 go", "250 2.0.0 queued")
    done = run(replies, "PIPELINING")
    assert done.writes[-1] == b".\r\n"
    assert words(done.result) == ["failed", "deferred"]
    assert done.result.usable


def test_content_is_never_given_for_a_refused_sender():
    done = run(lines("550 no", "250 ok", "250 ok", "354 go", "250"), "PIPELINING")
    assert len(done.writes) == 1
    assert words(done.result) == ["failed", "failed"]
    assert not done.result.usable


@pytest.mark.parametrize("keywords", [(), ("PIPELINING",)])
def test_a_refused_transaction_is_reset_with_the_next_message(keywords):
    refused = ["554"] if keywords else []
    done = run(lines("250", "550", "550", *refused), *keywords)
    talk = done.session
    assert b"RSET" not in b"".join(done.writes)
    done = drive(
        deliver(talk, "a@example.org", TWO[:1], CONTENT),
        talk.replies,
        lines("250 reset", "250", "250", "354", "250 ok"),
    )
    assert done.writes[0].startswith(b"RSET\r\n")
    assert words(done.result) == ["sent"]


@pytest.mark.parametrize("said", [[], [b"421 bye\r\n"], [b"500 RSET?\r\n"]])
def test_a_reset_that_fails_costs_the_next_message_nothing(said):
    talk = session(reset_due=True, served=1)
    done = drive(deliver(talk, "a@x.org", TWO, CONTENT), talk.replies, said)
    assert words(done.result) == [None, None]
    assert not done.result.usable


@pytest.mark.parametrize(
    ("reply", "expected"),
    [("451 x", "deferred"), ("554 x", "failed"), ("550 5.7.1 x", "failed")],
)
def test_a_refused_data_decides_for_the_accepted(reply, expected):
    done = run(lines("250", "250", "550 no", reply))
    assert words(done.result) == [expected, "failed"]
    assert done.result.usable
    assert done.session.reset_due


@pytest.mark.parametrize("code", [500, 501, 502, 503, 504])
def test_a_relay_that_knows_no_data_is_at_fault(code):
    done = run(lines("250", "250", "550 no", f"{code} what?"))
    assert words(done.result) == [None, "failed"]
    assert done.result.fault is not None
    assert not done.result.usable


@pytest.mark.parametrize(
    ("reply", "expected"),
    [("451 4.3.0 x", "deferred"), ("554 5.6.0 x", "failed"), ("421 x", "deferred")],
)
def test_the_reply_after_the_data_decides(reply, expected):
    done = run(lines("250", "250", "250", "354", reply))
    assert words(done.result) == [expected] * 2
    assert done.result.verdicts[0].reply == reply
    assert not done.result.possible_duplicate


@pytest.mark.parametrize("after", range(5))
@pytest.mark.parametrize("last", ["421 4.3.2 bye", None, "hello", "250"])
@pytest.mark.parametrize("keywords", [(), ("PIPELINING",)])
def test_a_broken_session_defers_what_has_no_verdict(after, last, keywords):
    good = ["250 a", "550 5.1.1 no", "250 c", "354 d"][:after]
    if last == "250":
        last = None if after < 3 else "250-half\r\n250-"
    done = run(lines(*good, *([last] if last else [])), *keywords)
    expected = ["failed" if after >= 2 else "deferred", "deferred"]
    assert words(done.result) == expected
    assert done.result.possible_duplicate == (after == 4 and last != "421 4.3.2 bye")
    assert not done.result.usable
    assert done.result.fault is None


@pytest.mark.parametrize("reply", ["354 again", "334 "])
def test_a_3xx_after_the_data_may_mean_anything(reply):
    done = run(lines("250", "250", "250", "354", reply))
    assert words(done.result) == ["deferred"] * 2
    assert done.result.possible_duplicate


def test_2xx_to_data_is_no_acceptance():
    done = run(lines("250", "250", "250", "250 ok", "250 ok"))
    assert words(done.result) == ["deferred"] * 2
    assert not done.result.possible_duplicate


@pytest.mark.parametrize("said", [[], [b"421 idle\r\n"], [b"garbage\r\n"]])
def test_a_reused_connection_that_died_has_tried_nothing(said):
    assert words(run(said, served=3).result) == [None, None]
    assert words(run(said, served=0).result) == ["deferred"] * 2


def test_a_reply_nobody_asked_for_is_never_taken_for_an_answer():
    talk = session(served=1)
    talk.replies.feed(b"250 of the message before\r\n")
    done = drive(
        deliver(talk, "a@x.org", TWO, CONTENT),
        talk.replies,
        lines("550 no", "250", "250", "354", "250"),
    )
    assert done.writes == []
    assert words(done.result) == [None, None]


def test_an_early_acceptance_is_no_acceptance():
    done = run([b"250\r\n250\r\n250\r\n354\r\n250 done already\r\n"], "PIPELINING")
    assert words(done.result) == ["deferred"] * 2
    assert not done.result.possible_duplicate
    assert len(done.writes) == 1


@pytest.mark.parametrize(
    ("early", "expected"),
    [("452 full", "deferred"), ("552 5.3.4 big", "failed"), ("250 ok", "deferred")],
)
def test_a_reply_in_the_middle_of_the_content_is_read(early, expected):
    talk = session("PIPELINING")
    done = drive(
        deliver(talk, "a@x.org", TWO, b"x\r\n" * 100_000),
        talk.replies,
        [b"250\r\n250\r\n250\r\n354\r\n", early.encode() + b"\r\n"],
        hasty=[False, False, False, True],
    )
    assert words(done.result) == [expected] * 2
    assert early in done.result.verdicts[0].reply
    assert len(done.writes) == 4
    assert not done.result.possible_duplicate
    assert not done.result.usable


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


def test_a_message_above_the_size_limit_fails_without_a_command():
    talk = session()
    talk.capabilities.extensions["SIZE"] = "20"
    done = drive(deliver(talk, "a@x.org", TWO, b"x" * 30), talk.replies, [])
    assert words(done.result) == ["failed"] * 2
    assert done.result.verdicts[0].reply.startswith("5.3.4 ")
    assert done.writes == []
    assert done.result.usable


@pytest.mark.parametrize("size", ["", "0", "many", "-1", "30"])
def test_a_size_limit_that_is_none_stops_nothing(size):
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
def test_a_relay_that_refused_ehlo_is_at_fault_for_what_needs_it(
    sender, to, content, lacks
):
    talk = session()
    talk.capabilities = type(talk.capabilities)(extended=False)
    done = drive(deliver(talk, sender, to, content), talk.replies, [])
    assert done.writes == []
    assert done.result.fault.reason.startswith(lacks)
    assert not any(done.result.verdicts)


def test_eight_bits_that_cannot_be_converted_never_go_to_a_relay_of_seven():
    talk = session()
    talk.capabilities = type(talk.capabilities)(extended=True)
    done = drive(deliver(talk, "a@x.org", TWO, b"\xff\n"), talk.replies, [])
    assert done.writes == []
    assert {each.reply[:6] for each in done.result.verdicts} == {"5.6.3 "}
    assert words(done.result) == ["failed"] * 2
    assert done.result.fault is None


SAYINGS = st.sampled_from(
    [
        b"250 ok\r\n",
        b"250 2.0.0 ok\r\n250 2.0.0 ok\r\n",
        b"250-more\r\n",
        b"354 go\r\n",
        b"550 5.1.1 no\r\n",
        b"450 4.2.0 later\r\n",
        b"452 4.5.3 too many\r\n",
        b"421 bye\r\n",
        b"530 5.7.0 login\r\n",
        b"503 what\r\n",
        b"220 hi\r\n",
        b"334 \r\n",
        b"\r\n",
        b"2",
        b"50 ok\r\n",
        b"\xff\xfe\0\r\n",
    ]
)


@settings(max_examples=600)
@given(
    chunks=st.lists(SAYINGS | st.binary(max_size=12), max_size=16),
    keywords=st.sets(st.sampled_from(["PIPELINING", "SIZE", "8BITMIME"])),
    hasty=st.lists(st.booleans(), max_size=8),
    served=st.integers(0, 1),
    reset_due=st.booleans(),
    size=st.sampled_from([10, 200_000]),
)
def test_whatever_a_relay_says_ends_in_verdicts_and_never_a_false_sent(
    chunks, keywords, hasty, served, reset_due, size
):
    talk = session(*keywords, served=served, reset_due=reset_due)
    content = b"x" * size
    done = drive(
        deliver(talk, "a@x.org", [*TWO, "d@x.org"], content),
        talk.replies,
        chunks,
        hasty,
    )
    outcomes = words(done.result)
    if not served and done.result.fault is None:
        assert any(outcomes), "sending again at once would never end"
    if "sent" in outcomes:
        written = b"".join(done.writes)
        assert written.endswith(content + b"\r\n.\r\n")
        assert done.count > done.heard[-1], "nothing was heard after the last dot"
        assert b"354" in b"".join(chunks[: done.heard[-1]])
    if done.result.possible_duplicate:
        assert done.writes[-1].endswith(b"\r\n.\r\n")
        assert "sent" not in outcomes
    if not done.result.usable:
        assert not talk.usable


@settings(max_examples=300)
@given(
    chunks=st.lists(
        SAYINGS
        | st.sampled_from(
            [b"250-x\r\n250 STARTTLS\r\n", b"250-x\r\n250 AUTH LOGIN\r\n"]
        )
        | st.binary(max_size=12),
        max_size=12,
    ),
    tls=st.integers(0, 2),
    log_in=st.booleans(),
)
def test_whatever_a_relay_says_opening_ends_in_a_session_or_a_fault(
    chunks, tls, log_in
):
    talk = session(loopback=True)
    login = Login("me", Secret("pw")) if log_in else None
    procedure = open_session(talk, Security(tls=tls), login, "client.test")
    done = None
    with suppress(RelayFault):
        done = drive(procedure, talk.replies, chunks)
    if done is None:
        return
    assert done.writes[0] == b"EHLO client.test\r\n"
    assert talk.encrypted or tls != 2
    assert not log_in or b"AUTH " in b"".join(done.writes)


def test_a_relay_that_challenges_forever_is_at_fault():
    talk = session(loopback=True)
    procedure = open_session(talk, Security(), Login("me", Secret("pw")), "client.test")
    chunks = [b"220 x\r\n", b"250-x\r\n250 AUTH PLAIN\r\n", *[b"334 \r\n"] * 100]
    with pytest.raises(RelayFault) as raised:
        drive(procedure, talk.replies, chunks)
    assert raised.value.permanent
