"""What a person reads of a message, whatever is in it."""

from __future__ import annotations

import pytest

from collective.maildrophost.controlpanel.messagetext import message_text

DEPTH = 3000


def multiparts():
    return "".join(
        f'Content-Type: multipart/mixed; boundary="{number}"\n\n--{number}\n'
        for number in range(DEPTH)
    )


def forwarded():
    return "Content-Type: message/rfc822\n\n" * DEPTH


@pytest.mark.parametrize("within", [multiparts, forwarded])
def test_endlessly_nested_parts_leave_the_headers_readable(within):
    content = f"Subject: hello\n{within()}Content-Type: text/plain\n\nDear reader\n"
    shown = message_text(content.encode())
    assert shown.headers[0] == ("Subject", "hello")
    assert (shown.text, shown.attachments) == ("", ())


def test_a_text_in_nested_parts_is_found():
    content = (
        'Content-Type: multipart/mixed; boundary="a"\n\n--a\n'
        'Content-Type: multipart/alternative; boundary="b"\n\n--b\n'
        "Content-Type: text/plain\n\nDear reader\n--b--\n--a--\n"
    )
    assert message_text(content.encode()).text == "Dear reader"


TWICE = b"name*=utf-8''a; name*0=b"
"""A parameter as a whole and in pieces, over which the email package stumbles."""


@pytest.mark.parametrize(
    "content_type", [b"text/plain; charset=utf-8; " + TWICE, b"text/plain; charset*=x'"]
)
def test_a_text_is_read_whatever_other_parameters_its_type_has(content_type):
    content = b"Subject: hello\nContent-Type: " + content_type + b"\n\nthe text"
    read = message_text(content)
    assert read.headers[0] == ("Subject", "hello")
    assert read.text == "the text"


def test_an_attachment_with_an_unreadable_name_is_listed():
    content = (
        b"Content-Type: multipart/mixed; boundary=b\n\n--b\n\nthe text\n--b\n"
        b"Content-Type: image/png\nContent-Disposition: attachment; "
        + TWICE.replace(b"name", b"filename")
        + b"\n\nx\n--b--\n"
    )
    read = message_text(content)
    assert read.text == "the text"
    assert [each.kind for each in read.attachments] == ["image/png"]


def test_an_unreadable_boundary_leaves_the_headers_readable():
    parts = b"Content-Type: multipart/mixed; boundary=b; " + TWICE + b"\n\n--b\n\nx"
    read = message_text(b"Subject: hello\n" + parts)
    assert read.headers[0] == ("Subject", "hello")
