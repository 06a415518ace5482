"""The verdicts of one transaction, byte by byte and without a network."""

from __future__ import annotations

import pytest
from engine.smtp.driving import drive, session
from engine.smtp.transactions import CONTENT, TWO, lines, run, words

from collective.maildrophost.engine.smtp import RelayFault
from collective.maildrophost.engine.smtp.transaction import deliver


def test_with_pipelining_the_envelope_is_one_write_and_the_content_another():
    done = run(lines("250 a", "250 b", "250 c", "354 d", "250 e"), "PIPELINING")
    assert done.writes == [
        b"MAIL FROM:<a@example.org>\r\nRCPT TO:<b@example.org>\r\n"
        b"RCPT TO:<c@example.org>\r\nDATA\r\n",
        CONTENT + b".\r\n",
    ]
    assert words(done.result) == ["sent", "sent"]
    assert done.result.usable
    assert done.result.answered
    assert (done.session.served, done.session.reset_due) == (1, False)


def test_without_pipelining_every_command_waits_for_its_reply():
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


@pytest.mark.parametrize("end", ["503 MAIL first", "500 what?", "250 ok", "450 later"])
def test_a_refused_sender_is_not_the_relays_fault_whatever_it_says_next(end):
    done = run(lines("550 5.1.8 no", "250 ok", "250 ok", end), "PIPELINING")
    assert words(done.result) == ["failed"] * 2
    assert done.result.fault is None
    assert done.result.usable


def test_a_login_that_is_wanted_after_a_refused_sender_is_not_the_relays_fault():
    done = run(lines("550 5.1.8 no", "530 login", "530 login", "503"), "PIPELINING")
    assert words(done.result) == ["failed"] * 2
    assert done.result.fault is None


def test_recipients_taken_with_a_refused_sender_do_not_get_the_next_message():
    refused = lines("550 no", "250 ok", "250 ok", "503 MAIL first")
    done = run(refused, "PIPELINING")
    offer = deliver(done.session, "a@example.org", TWO, CONTENT)
    following = drive(offer, done.session.replies, [])
    assert following.writes[0].startswith(b"RSET\r\nMAIL FROM:")


@pytest.mark.parametrize("reply", ["530 login", "550 5.7.0 login", "530 5.7.1 login"])
def test_a_login_that_is_wanted_is_the_relays_fault_and_bounces_nothing(reply):
    done = run(lines(reply, reply, reply, reply), "PIPELINING")
    assert words(done.result) == [None, None]
    assert isinstance(done.result.fault, RelayFault)
    assert done.result.fault.permanent
    assert not done.result.usable


@pytest.mark.parametrize(
    "replies",
    [("250", "530 5.7.0 login", "530 5.7.0 login"), ("250", "250", "250", "530 login")],
)
def test_a_login_that_is_wanted_late_bounces_nothing(replies):
    done = run(lines(*replies))
    assert words(done.result) == [None, None]
    assert done.result.fault.permanent


def test_a_login_that_one_recipient_needs_is_no_fault_of_the_relay():
    done = run(lines("250", "250", "530 5.7.0 login", "354", "250 ok"))
    assert words(done.result) == ["sent", "failed"]
    assert done.result.fault is None


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


def test_a_relay_that_has_enough_is_heard_out_where_all_commands_have_left():
    everybody = [*TWO, "d@example.org"]
    enough = ["452 4.5.3 too many"] * 2
    replies = lines("250", "250", *enough, "354", "250 ok")
    done = run(replies, "PIPELINING", recipients=everybody)
    assert words(done.result) == ["sent", None, None]
    assert done.result.usable


def test_a_452_that_may_concern_one_recipient_does_not_stop_the_others():
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
    assert not done.session.reset_due


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


@pytest.mark.parametrize(
    "said",
    [
        [],
        [b"421 bye\r\n"],
        # What may come then is for a transaction that is not the message's.
        lines("500 RSET?", "250", "250", "250", "354", "250 ok"),
    ],
)
def test_a_reset_that_fails_costs_the_next_message_nothing(said):
    talk = session(reset_due=True, served=1)
    done = drive(deliver(talk, "a@x.org", TWO, CONTENT), talk.replies, said)
    assert words(done.result) == [None, None]
    assert not done.result.usable


@pytest.mark.parametrize(
    ("reply", "expected"),
    [
        ("451 x", "deferred"),
        ("554 x", "failed"),
        ("550 5.7.1 x", "failed"),
        ("505 x", "failed"),
    ],
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


@pytest.mark.parametrize(
    "said", [[], [b"421 idle\r\n"], [b"garbage\r\n"], [b"452 4.5.3 many mails\r\n"]]
)
@pytest.mark.parametrize("keywords", [(), ("PIPELINING",)])
def test_a_reused_connection_that_takes_no_more_has_tried_nothing(said, keywords):
    assert words(run(said, *keywords, served=3).result) == [None, None]
    assert words(run(said, *keywords, served=0).result) == ["deferred"] * 2


@pytest.mark.parametrize("said", ["452 4.3.1 full", "452 Space shortage"])
def test_a_full_disk_is_not_the_end_of_a_connection(said):
    """Exim gives no enhanced status."""
    done = run(lines(said), served=3)
    assert words(done.result) == ["deferred"] * 2
    assert done.result.usable
