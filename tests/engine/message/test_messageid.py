"""The Message-Id of a message that came without one."""

from __future__ import annotations

import re

import pytest

from collective.maildrophost.engine.message import compose


def composed(content, sender="a@example.org", **more):
    return compose(content, sender, ["b@example.org"], now=1_800_000_000.0, **more)


@pytest.mark.parametrize("end", [b"\n", b"\r\n"])
def test_a_missing_message_id_is_added_on_top_with_the_messages_line_ending(end):
    content = b"Subject: x" + end + end + b"body"
    message = composed(content)
    added = b"Message-Id: " + message.message_id.encode() + end
    assert message.content == added + content
    assert re.fullmatch(r"<[0-9a-f]+\.[0-9a-f]{16}@example\.org>", message.message_id)


def test_an_at_sign_in_a_quoted_local_part_begins_no_domain():
    host = composed(b"\nx", sender="a").message_id.rpartition("@")[2]
    assert composed(b"\nx", sender='"a@b"').message_id.rpartition("@")[2] == host
    assert composed(b"\nx", sender='"a@b"@c').message_id.endswith("@c>")


def test_two_message_ids_are_never_the_same():
    assert composed(b"\nx").message_id != composed(b"\nx").message_id


@pytest.mark.parametrize(
    ("content", "rest"),
    [
        (b"Hello\n", b"\nHello\n"),
        (b"\nbody", b"\nbody"),
        (b"\r\nbody", b"\r\nbody"),
        (b"", b""),
        (b"A: b", b"A: b"),
    ],
)
def test_an_added_message_id_turns_no_body_into_headers(content, rest):
    first, _, left = composed(content).content.partition(b"\n")
    assert first.startswith(b"Message-Id: <")
    assert left == rest


@pytest.mark.parametrize("sender", ["", "root", "a@bücher.example", '"x@y"@z.org'])
def test_an_added_message_id_is_ascii_with_a_domain(sender):
    message_id = composed(b"\n", sender=sender).message_id
    assert re.fullmatch(r"<[!-~]+@[A-Za-z0-9._-]+>", message_id)


def test_no_message_id_is_added_when_it_is_not_wanted():
    message = composed(b"Subject: x\n\n", add_message_id=False)
    assert message.content == b"Subject: x\n\n"
    assert message.message_id == ""
