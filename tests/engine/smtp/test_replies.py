"""Replies out of bytes."""

from __future__ import annotations

from contextlib import suppress
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collective.maildrophost.engine.smtp.replies import (
    MAX_REPLY_LINE_OCTETS,
    MAX_REPLY_LINES,
    MAX_UNREAD_OCTETS,
    MalformedReply,
    Replies,
    Reply,
)

STREAM = b"220 hello\r\n250-one\r\n250-two\r\n250 three\r\n354\r\n"
REPLIES = [
    Reply(220, ("hello",)),
    Reply(250, ("one", "two", "three")),
    Reply(354, ("",)),
]


def take_all(replies):
    taken = []
    while (reply := replies.take()) is not None:
        taken.append(reply)
    return taken


def test_coalesced_replies_are_told_apart():
    replies = Replies()
    replies.feed(STREAM)
    assert take_all(replies) == REPLIES
    assert not replies.pending


@given(st.lists(st.integers(0, len(STREAM)), max_size=8))
def test_it_does_not_matter_where_the_network_cuts(cuts):
    replies, taken = Replies(), []
    edges = [0, *sorted(cuts), len(STREAM)]
    for start, end in pairwise(edges):
        replies.feed(STREAM[start:end])
        taken += take_all(replies)
    assert taken == REPLIES


def test_half_a_reply_is_pending_and_no_reply():
    replies = Replies()
    for octet in b"250-one\r\n250 tw":
        replies.feed(bytes([octet]))
        assert replies.take() is None
        assert replies.pending


def test_a_bare_lf_ends_a_line_too():
    replies = Replies()
    replies.feed(b"250-a\n250 b\n")
    assert replies.take() == Reply(250, ("a", "b"))


@pytest.mark.parametrize(
    "garbage",
    [
        b"hello\r\n",
        b"\r\n",
        b"25\r\n",
        b"2500 ok\r\n",
        b"150 no such class\r\n",
        b"650 no such class\r\n",
        b"250=ok\r\n",
        b" 250 ok\r\n",
        b"250-a\r\n251 b\r\n",
        b"HTTP/1.1 400 Bad Request\r\n",
        b"\x16\x03\x01\x02\x00\n",
    ],
)
def test_what_is_no_reply_is_malformed(garbage):
    replies = Replies()
    replies.feed(garbage)
    with pytest.raises(MalformedReply):
        replies.take()


def test_an_endless_line_is_malformed():
    replies = Replies()
    replies.feed(b"250 " + b"x" * MAX_REPLY_LINE_OCTETS)
    with pytest.raises(MalformedReply, match="endless line"):
        replies.take()


def test_an_endless_reply_is_malformed():
    replies = Replies()
    replies.feed(b"250-x\r\n" * (MAX_REPLY_LINES + 1))
    with pytest.raises(MalformedReply, match="endless reply"):
        replies.take()


def test_what_nobody_reads_does_not_pile_up():
    replies = Replies()
    for _ in range(8):
        replies.feed(b"250 x\r\n" * (MAX_UNREAD_OCTETS // 7 // 4))
    assert len(replies._unread) <= MAX_UNREAD_OCTETS
    with pytest.raises(MalformedReply, match="more than anybody asked"):
        replies.take()


@pytest.mark.parametrize(
    ("lines", "enhanced", "text"),
    [
        (("2.0.0 Ok",), "2.0.0", "250 2.0.0 Ok"),
        (("Ok",), "", "250 Ok"),
        (("",), "", "250"),
        (("5.7.0 a", "5.7.0 b", "", "5.7.0 c"), "5.7.0", "250 5.7.0 a b c"),
        (("2.0.0",), "2.0.0", "250 2.0.0"),
        (("2.0.0.1 is no status",), "", "250 2.0.0.1 is no status"),
    ],
)
def test_a_reply_reads_as_one_line(lines, enhanced, text):
    reply = Reply(250, lines)
    assert reply.enhanced == enhanced
    assert str(reply) == text


@given(st.binary(max_size=200))
def test_a_reply_is_always_one_printable_line(text):
    replies = Replies()
    replies.feed(b"550 " + text.replace(b"\n", b"") + b"\r\n")
    reply = replies.take()
    assert reply is not None
    assert str(reply).isprintable()
    assert reply.permanent
    assert not reply.transient


@given(st.binary(max_size=400))
def test_any_bytes_are_replies_or_malformed(data):
    replies = Replies()
    replies.feed(data)
    with suppress(MalformedReply):
        for reply in take_all(replies):
            assert 200 <= reply.code <= 599


@pytest.mark.parametrize("line", ["535 no: {}\r\n", "Welcome, {}\r\n"])
@pytest.mark.parametrize("secret", ["pa55word", "pa\N{NO-BREAK SPACE}55 word"])
def test_what_was_told_in_confidence_is_shown_in_no_reply_and_no_error(line, secret):
    replies = Replies()
    replies.confidential = (secret,)
    replies.feed(line.format(secret).encode())
    try:
        shown = str(replies.take())
    except MalformedReply as malformed:
        shown = str(malformed)
    assert "55" not in shown.removeprefix("535")
