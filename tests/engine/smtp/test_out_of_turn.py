"""What a relay says before anybody has asked, or in the middle of the content."""

from __future__ import annotations

import pytest
from engine.smtp.driving import drive, session
from engine.smtp.transactions import CONTENT, TWO, lines, run, words

from collective.maildrophost.engine.smtp.transaction import deliver


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


@pytest.mark.parametrize("keywords", [("PIPELINING",), ()])
@pytest.mark.parametrize("unasked", [b"250 ok\r\n", b"\r\n"])
def test_a_relay_that_speaks_before_the_first_message_is_at_fault_itself(
    keywords, unasked
):
    talk = session(*keywords)
    talk.replies.feed(unasked)
    done = drive(deliver(talk, "a@example.org", TWO, CONTENT), talk.replies, [])
    assert done.result.verdicts == (None, None)
    assert done.result.fault is not None
    assert not done.result.usable
    assert done.writes == []
