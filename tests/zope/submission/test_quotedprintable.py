"""A text is encoded as the email package does it, octet by octet."""

from __future__ import annotations

from email import quoprimime

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from collective.maildrophost.submission import munged as submission
from collective.maildrophost.submission import quotedprintable as module
from collective.maildrophost.submission.munged import munged
from collective.maildrophost.submission.quotedprintable import (
    QuickCharset,
    quoted_printable,
)

PIECES = st.sampled_from(
    ["a", "ü", "我", "=", ".", " ", "\t", "\n", "\r", "\r\n", "\0", "\x0b", "\x7f"]
    + ["x" * length for length in range(69, 79)]
)
TEXTS = ["Schöne Grüße\n" * 9, "x" * 400 + "ü", "我" * 99, "http://x.org/?a=b\n", "ü "]


def by_the_package(octets):
    return quoprimime.body_encode(octets.decode("latin-1"))


@given(st.lists(PIECES, max_size=30).map("".join).map(str.encode))
@example("ü\n.\n.".encode())
@example("ü\n.\0".encode() + b"x" * 99)
@example("ü\n".encode() + b"x" * 73 + b"=\n")
@example("ü\n".encode() + b"x" * 75 + b" \n")
@example("ü\n".encode() + b"x" * 74 + b" ")
def test_any_text_is_what_the_package_makes_of_it(octets):
    assert quoted_printable(octets) == by_the_package(octets)


@given(st.binary(max_size=300))
def test_any_octets_are_what_the_package_makes_of_them(octets):
    assert quoted_printable(octets) == by_the_package(octets)


@pytest.mark.parametrize("text", TEXTS)
def test_most_texts_are_encoded_without_the_package(text, monkeypatch):
    expected = by_the_package(text.encode())
    monkeypatch.setattr(module, "_by_the_package", None)
    assert quoted_printable(text.encode()) == expected


def test_mail_of_a_page_is_encoded_without_the_package(monkeypatch):
    monkeypatch.setattr(submission, "_latest", ((), None))
    monkeypatch.setattr(quoprimime, "body_encode", None)
    content, _ = munged("no other mail is grün", "a@x.org", "b@x.org", "s", "utf-8")
    assert content.endswith(b"gr=C3=BCn")


@pytest.mark.parametrize("name", ["utf-8", "iso-8859-1", "us-ascii", "shift_jis"])
def test_every_charset_encodes_bodies_as_the_package_does(name):
    charset = QuickCharset(name)
    for text in ("", "plain = ascii", b"octets"):
        assert charset.body_encode(text) == super(QuickCharset, charset).body_encode(
            text
        )
