"""Promises about the mail file that other programs drop."""

from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collective.maildrophost.engine.message import InvalidMessage, Lane
from collective.maildrophost.engine.message.mailfile import MailFile, parse

EXAMPLE = b"""\
##To:recipient@example.org,second@example.org
##From:sender@example.org
From: "A Person" <sender@example.org>
To: "B Person" <recipient@example.org>
Subject: hello

body
"""


def test_a_file_of_products_maildrophost_is_taken_apart():
    assert parse(EXAMPLE) == MailFile(
        sender="sender@example.org",
        recipients=("recipient@example.org", "second@example.org"),
        lane=None,
        at=None,
        content=EXAMPLE.split(b"\n", 2)[2],
    )


def test_files_with_crlf_are_taken_apart_as_well():
    mail = parse(b"##To: a@x.org\r\n##From: b@x.org\r\nSubject: x\r\n\r\nbody\r\n")
    assert (mail.sender, mail.recipients) == ("b@x.org", ("a@x.org",))
    assert mail.content == b"Subject: x\r\n\r\nbody\r\n"


def test_the_lines_come_in_any_order_and_their_recipients_are_joined():
    mail = parse(
        b"##To:A <a@x.org>\n##At:2026-11-23T09:30:00+01:00\n##To:b@x.org, a@X.org\n"
        b'##Lane: bulk\n##From:"Me, I" <me@x.org>\n\nbody'
    )
    assert mail.recipients == ("a@x.org", "b@x.org")
    assert mail.sender == "me@x.org"
    assert mail.lane is Lane.BULK
    assert mail.at == 1795422600.0
    assert mail.content == b"\nbody"


@pytest.mark.parametrize("line", [b"##From:", b"##From: ", b"##From:<>"])
def test_an_empty_from_is_the_null_sender(line):
    assert parse(b"##To:a\n" + line + b"\nx").sender == ""


def test_a_sharp_sign_in_the_message_is_content():
    mail = parse(b"##To:a\n##From:b\n#x\n##To:c\n")
    assert mail.content == b"#x\n##To:c\n"


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "does not start with ##To:"),
        (b"##From:a\n##To:b\n\nx", "does not start with ##To:"),
        (b"##to:a\n##From:b\n\nx", "does not start with ##To:"),
        (b"##To:a\n\nx", "no ##From: line"),
        (b"##To:\n##From:b\n\nx", "no recipient"),
        (b"##To:a b\n##From:b\n\nx", "address"),
        (b"##To:a\n##From:b, c\n\nx", "one only"),
        (b"##To:a\n##From:b\n##From:c\n\nx", "more than one ##From:"),
        (b"##To:a\n##From:b\n##Cc:c\n\nx", "unknown line '##Cc'"),
        (b"##To:a\n##From:b\n##\n\nx", "unknown line '##'"),
        (b"##To:a\n##From\n\nx", "unknown line '##From'"),
        (b"##To:a\n##From:b\n##Lane:fast\n\nx", "interactive, normal, bulk"),
        (b"##To:a\n##From:b\n##At:tomorrow\n\nx", "##At:"),
        (b"##To:a\n##From:b\n##At:2026-11-23T09:30:00\n\nx", "offset"),
        (b"##To:a\xff\n##From:b\n\nx", "UTF-8"),
        (b"##To:a\0\n##From:b\n\nx", "control character"),
        (b"##To:a\n##From:b", "no message"),
        (b"##To:a\n##From:b\n", "no message"),
    ],
)
def test_a_malformed_file_says_why(data, reason):
    with pytest.raises(InvalidMessage, match=reason):
        parse(data)


@given(st.binary() | st.binary().map(b"##To:a\n##From:b\n".__add__))
def test_any_bytes_are_taken_or_refused_by_name(data):
    try:
        mail = parse(data)
    except InvalidMessage:
        return
    assert data.endswith(mail.content)
    assert mail.recipients


@given(st.text(), st.sampled_from(["To", "From", "Lane", "At"]))
def test_any_line_is_taken_or_refused_by_name(value, name):
    with suppress(InvalidMessage):
        parse(f"##To:a\n##{name}:{value}\n##From:b\n\nx".encode("utf-8", "replace"))


@given(st.binary(min_size=1).filter(lambda content: not content.startswith(b"##")))
def test_the_message_is_kept_byte_for_byte(content):
    for end in (b"\n", b"\r\n"):
        data = end.join([b"##To:a", b"##From:b", content])
        assert parse(data).content == content
