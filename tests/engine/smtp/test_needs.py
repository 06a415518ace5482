"""What a content needs before it can travel."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collective.maildrophost.engine.smtp.capabilities import HELO_ONLY, Capabilities
from collective.maildrophost.engine.smtp.needs import (
    MAX_LINE_OCTETS,
    NOTHING,
    Needs,
    has_long_line,
    needs,
)

ALL = Capabilities({"8BITMIME": "", "SMTPUTF8": "", "SIZE": ""})
EIGHT = Capabilities({"8BITMIME": ""})
SEVEN = Capabilities()
LONG = b"x" * 999
RAW_BODY = "Subject: x\r\n\r\nHällo\r\n".encode()
RAW_SUBJECT = "Subject: Grüße\r\n\r\nHello\r\n".encode()


@pytest.mark.parametrize("content", [b"", b"x", b"Subject: x\n\nbody\n" * 300])
@pytest.mark.parametrize("capabilities", [ALL, EIGHT, SEVEN, HELO_ONLY])
def test_ordinary_mail_needs_nothing(content, capabilities):
    assert needs(content, capabilities, False) is NOTHING


@pytest.mark.parametrize("capabilities", [SEVEN, HELO_ONLY])
@pytest.mark.parametrize("content", [RAW_BODY, RAW_SUBJECT])
def test_a_seven_bit_relay_gets_seven_bits(content, capabilities):
    assert needs(content, capabilities, False).seven_bits


def test_8bitmime_is_for_bodies():
    assert not needs(RAW_BODY, EIGHT, False)
    assert needs(RAW_SUBJECT, EIGHT, False) == Needs(ascii_headers=True)


def test_raw_headers_go_with_smtputf8_when_an_address_asks_for_it():
    assert not needs(RAW_SUBJECT, ALL, True)
    assert needs(RAW_SUBJECT, ALL, False) == Needs(ascii_headers=True)


@pytest.mark.parametrize(
    "content", [LONG, b"\n\n" + LONG, LONG + b"\n", b"a: b\n\n" + LONG]
)
def test_long_lines_and_nul_are_named(content):
    assert needs(content, ALL, False) == Needs(shorter_lines=True)
    both = needs(content + b"\0", ALL, False)
    assert both == Needs(shorter_lines=True, no_nul=True)


def test_with_a_dkim_signature_only_what_the_relay_never_takes_changes():
    signed = b"From: a\nDKIM-Signature: v=1;\n b=x\n" + RAW_SUBJECT + LONG + b"\0"
    assert needs(signed, ALL, False) == NOTHING
    assert needs(signed, SEVEN, False) == Needs(seven_bits=True)
    in_the_body = RAW_BODY + b"DKIM-Signature: x\n" + LONG
    assert needs(in_the_body, ALL, False) == Needs(shorter_lines=True)


@pytest.mark.parametrize("end", [b"\n", b"\r\n", b"\r", b""])
@pytest.mark.parametrize("before", [b"", b"\n", b"\r", b"x\r\n", b"y" * 998 + b"\r\n"])
@pytest.mark.parametrize("after", [b"", b"z", b"z\n"])
def test_the_limit_is_998_octets_without_the_line_end(before, end, after):
    rest = after if end else b""
    assert not has_long_line(before + b"x" * 998 + end + rest)
    assert has_long_line(before + b"x" * 999 + end + rest)


@given(
    st.lists(
        st.one_of(
            st.integers(0, 3),
            st.integers(MAX_LINE_OCTETS - 2, MAX_LINE_OCTETS + 2),
            st.integers(0, 3000),
        ).map(lambda size: b"x" * size)
        | st.sampled_from([b"\r", b"\n", b"\r\n"]),
        max_size=30,
    ).map(b"".join)
)
def test_a_line_is_long_when_it_is_long_on_the_wire(content):
    lines = re.split(rb"\r\n|\r|\n", content)
    assert has_long_line(content) == (max(map(len, lines)) > MAX_LINE_OCTETS)
