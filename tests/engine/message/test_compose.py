"""Promises of a message that is about to be queued."""

from __future__ import annotations

import dataclasses
import tracemalloc
from email.header import Header

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collective.maildrophost.engine.errors import MaildropError
from collective.maildrophost.engine.message import InvalidMessage, Lane, compose

NOW = 1_800_000_000.0
PLAIN = b"Message-Id: <1@x>\nSubject: hello\n\nbody\n"


def composed(
    content=PLAIN, sender="a@example.org", recipients=("b@example.org",), **more
):
    return compose(content, sender, recipients, now=NOW, **more)


def test_a_plain_message_is_kept_byte_for_byte():
    message = composed()
    assert message.content == PLAIN
    assert message.sender == "a@example.org"
    assert message.recipients == ("b@example.org",)
    assert message.lane is Lane.NORMAL
    assert message.due is None
    assert message.subject == "hello"
    assert message.message_id == "<1@x>"
    with pytest.raises(dataclasses.FrozenInstanceError):
        message.sender = "x"


def test_display_names_stay_out_of_the_envelope():
    message = composed(
        sender='"Ann, A." <a@example.org>',
        recipients=["B <b@example.org>, c@example.org", "b@EXAMPLE.org", "d"],
    )
    assert message.sender == "a@example.org"
    assert message.recipients == ("b@example.org", "c@example.org", "d")


def test_recipients_may_come_as_one_text():
    assert composed(recipients="b@x.org, c@x.org").recipients == ("b@x.org", "c@x.org")


@pytest.mark.parametrize("sender", ["", "<>", " "])
def test_the_null_sender_is_empty(sender):
    assert composed(sender=sender).sender == ""


@pytest.mark.parametrize(
    "envelope",
    [
        {"recipients": []},
        {"recipients": [""]},
        {"recipients": ["b@example.org", ""]},
        {"recipients": ["b@example.org\r\nRCPT TO:<c@example.org>"]},
        {"recipients": ["b@exam\0ple.org"]},
        {"recipients": ["no address"]},
        {"sender": "a@example.org, b@example.org"},
        {"sender": "a@example.org\n"},
        {"sender": "no address"},
        {"at": float("nan")},
        {"at": float("inf")},
        {"at": -1.0},
        {"at": 1e15},
        {"content": "\ud800"},
        {"content": b"Subject: a\0b\n\nbody"},
        {"content": b"Subject: a\rBcc: evil@example.org\n\nbody"},
        {"content": b"Subject: a\r\r\nTo: b\r\r\n\r\r\nbody"},
        {"content": b"A: b\n c\r\r\n"},
    ],
)
def test_what_no_relay_could_take_is_refused(envelope):
    with pytest.raises(InvalidMessage):
        composed(**envelope)


def test_a_refusal_is_an_error_of_ours_and_a_value_error():
    assert issubclass(InvalidMessage, MaildropError)
    assert issubclass(InvalidMessage, ValueError)


@pytest.mark.parametrize("body", [b"\0", b"a\rb", b"a\r\r\n", b"\r", b"A: b\rc\0\n"])
def test_a_body_may_hold_what_headers_may_not(body):
    content = b"Message-Id: <1>\r\n\r\n" + body
    assert composed(content).content == content


@pytest.mark.parametrize("body", [b"\0", b"a\rb", b"\r"])
def test_a_body_without_headers_may_hold_what_headers_may_not(body):
    assert composed(body, add_message_id=False).content == body


def test_the_time_is_kept():
    assert composed(at=NOW + 60).due == NOW + 60


@pytest.mark.parametrize("at", [-62135632800.0, 253402300800.0, float("nan")])
def test_a_time_that_no_list_could_show_is_refused_in_words(at):
    with pytest.raises(InvalidMessage, match="years 1970 to 9999") as refused:
        composed(at=at)
    assert repr(at) not in str(refused.value)


def test_text_becomes_utf_8():
    content = composed("Message-Id: <1>\n\nä").content
    assert content == "Message-Id: <1>\n\nä".encode()


def test_bytes_smuggled_through_text_come_out_again():
    text = b"Message-Id: <1>\n\n\xff\xe4".decode("utf-8", "surrogateescape")
    assert composed(text).content == b"Message-Id: <1>\n\n\xff\xe4"


# Lanes


@pytest.mark.parametrize(
    ("header", "lane"),
    [
        (b"Precedence: bulk", Lane.BULK),
        (b"precedence:LIST ", Lane.BULK),
        (b"Precedence: first-class", Lane.NORMAL),
        (b"List-Id: <l.example.org>", Lane.BULK),
        (b"LIST-UNSUBSCRIBE: <mailto:x@example.org>", Lane.BULK),
        (b"X-List-Id: none", Lane.NORMAL),
        (b"X-Maildrop-Lane: interactive", Lane.INTERACTIVE),
        (b"x-maildrop-lane:\tBulk", Lane.BULK),
        (b"X-Maildrop-Lane:\n normal", Lane.NORMAL),
        (b"Precedence: bulk\nX-Maildrop-Lane: normal", Lane.NORMAL),
    ],
)
def test_the_headers_choose_the_lane(header, lane):
    assert composed(header + b"\n" + PLAIN).lane is lane


def test_immediate_means_interactive_even_for_list_mail():
    assert composed(immediate=True).lane is Lane.INTERACTIVE
    listed = composed(b"List-Id: x\n" + PLAIN, immediate=True)
    assert listed.lane is Lane.INTERACTIVE


def test_the_header_overrides_immediate_and_the_argument_overrides_both():
    content = b"X-Maildrop-Lane: bulk\n" + PLAIN
    assert composed(content, immediate=True).lane is Lane.BULK
    chosen = composed(content, immediate=True, lane=Lane.NORMAL)
    assert chosen.lane is Lane.NORMAL
    assert chosen.content == PLAIN


@pytest.mark.parametrize("lane", ["", "urgent", "0", "\u00df"])
def test_a_wrong_lane_lists_the_lanes(lane):
    content = f"X-Maildrop-Lane: {lane}\n".encode() + PLAIN
    for refuse in (lambda: composed(content), lambda: Lane.parse(lane)):
        with pytest.raises(InvalidMessage, match="interactive, normal, bulk"):
            refuse()


def test_a_lane_is_read_by_its_label():
    assert [Lane.parse(lane.label) for lane in sorted(Lane)] == [0, 1, 2]
    assert Lane.INTERACTIVE.label == "interactive"


@pytest.mark.parametrize("end", [b"\n", b"\r\n"])
def test_only_the_lane_header_is_removed(end):
    head = end.join([b"A: 1", b" folded", b"X-Maildrop-Lane: bulk", b" ", b"B: 2"])
    last = end.join([b"", b"X-MAILDROP-LANE: normal", b"Message-Id: <1>", b""])
    body = end + b"X-Maildrop-Lane: stays" + end
    message = composed(head + last + body)
    assert message.lane is Lane.BULK
    kept = end.join([b"A: 1", b" folded", b"B: 2", b"Message-Id: <1>", b""])
    assert message.content == kept + body


def test_a_body_without_headers_is_not_read_as_headers():
    body = b"Hello\nX-Maildrop-Lane: bulk\nSubject: x\n"
    message = composed(body, add_message_id=False)
    assert message.content == body
    assert message.lane is Lane.NORMAL
    assert message.subject == message.message_id == ""


def test_headers_after_the_blank_line_are_body():
    message = composed(b"Message-Id: <1>\r\n\r\nSubject: x\r\nX-Maildrop-Lane: z\r\n")
    assert message.subject == ""
    assert message.lane is Lane.NORMAL


# The subject for listings


FRENCH_AND_PERSIAN = "Bonjour\xa0! \u0645\u06cc\u200c\u062e"


@pytest.mark.parametrize(
    ("header", "subject"),
    [
        (b"=?utf-8?q?J=C3=B6rg?=", "Jörg"),
        (b"=?utf-8?b?SsO2cmc=?= =?utf-8?q?_x?= y", "Jörg x y"),
        (b"folded\r\n  line", "folded  line"),
        ("raw ä".encode(), "raw ä"),
        (b"raw \xe4", "raw \ufffd"),
        (b"=?nonsense?q?abc?=", "abc"),
        (b"=?utf-8?b?a?=", "=?utf-8?b?a?="),
        (b"=?utf-8?q?a=0D=0Ab=00=1B[31m?=", "a  b\ufffd\ufffd[31m"),
        (b"=?utf-8?q?=E2=80=AEx?=", "\ufffdx"),
        (FRENCH_AND_PERSIAN.encode(), FRENCH_AND_PERSIAN),
        (b"x" * 500, "x" * 500),
        (b"x" * 1500, "x" * 998),
        (Header("\U0001f600" * 300, "utf-8").encode().encode(), "\U0001f600" * 300),
        (b"a\tb", "a b"),
        (b"=?idna?q?a=E4b?=", "a\u00e4b"),
        ("a\u2066b".encode(), "a\ufffdb"),
    ],
)
def test_the_subject_is_decoded_on_one_line_without_controls(header, subject):
    assert composed(b"SUBJECT: " + header + b"\nMessage-Id: <1>\n\n").subject == subject


def test_the_first_subject_counts():
    assert composed(b"Subject: a\nSubject: b\n\n").subject == "a"


PIECES = (
    b"Subject:|X-Maildrop-Lane: bulk|Message-Id:| |\t|\n|\r\n|=?utf-8?b?|=?idna?q?"
    b"|?=|A: b|:|\xff|\0|text"
)
HEADERISH = st.lists(st.sampled_from(PIECES.split(b"|"))).map(b"".join)


@given(st.binary() | HEADERISH, st.booleans())
def test_any_content_is_taken_or_refused_by_name(content, add_message_id):
    try:
        message = composed(content, add_message_id=add_message_id)
    except InvalidMessage:
        return
    kept = message.content
    if add_message_id and kept.startswith(b"Message-Id: <%x." % int(NOW * 1000)):
        kept = kept.partition(b"\n")[2]
        # A body that has no headers gets a blank line before it.
        kept = kept if kept == content else kept.removeprefix(b"\r").removeprefix(b"\n")
    if b"maildrop" not in content.lower():
        assert kept == content
    assert len(message.subject) <= 200
    assert "\n" not in message.subject + message.message_id


@given(st.binary())
def test_a_body_is_never_touched(body):
    content = b"X-Maildrop-Lane: bulk\r\nA: b\r\n\r\n" + body
    message = composed(content, add_message_id=False)
    assert message.content == b"A: b\r\n\r\n" + body


def test_a_huge_header_block_is_read_in_one_pass():
    content = b"X-Maildrop-Lane: bulk\n" * 200_000 + b"\nbody"
    assert composed(content, add_message_id=False).content == b"\nbody"


@pytest.mark.parametrize("line", [b"INFO: all well\n", b" all well\n"])
def test_a_huge_header_block_takes_no_memory_for_each_of_its_lines(line):
    head = b"Subject: x\n" + line * 100_000
    tracemalloc.start()
    try:
        assert composed(head + b"\nbody").content.endswith(b"\nbody")
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 4 * len(head)
