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
def test_parts_within_parts_without_end_leave_the_headers(within):
    content = f"Subject: hello\n{within()}Content-Type: text/plain\n\nDear reader\n"
    shown = message_text(content.encode())
    assert shown.headers[0] == ("Subject", "hello")
    assert (shown.text, shown.attachments) == ("", ())


def test_a_text_within_some_parts_is_found():
    content = (
        'Content-Type: multipart/mixed; boundary="a"\n\n--a\n'
        'Content-Type: multipart/alternative; boundary="b"\n\n--b\n'
        "Content-Type: text/plain\n\nDear reader\n--b--\n--a--\n"
    )
    assert message_text(content.encode()).text == "Dear reader"
