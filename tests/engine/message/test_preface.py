"""What other programs put before the headers of a message is left out."""

from __future__ import annotations

import tracemalloc

import pytest

from collective.maildrophost.engine.message import compose

HEADERS = b"Subject: reset\r\nMessage-Id: <1@x.org>\r\n\r\nbody\r\n"
POSTMARK = b"From a@x.org Mon Jan  1 10:00:00 2026"


def composed(content: bytes):
    return compose(content, "a@x.org", ["b@x.org"], now=1.0)


@pytest.mark.parametrize(
    "preface",
    [
        POSTMARK + b"\n",
        POSTMARK + b"\r\n",
        b"From MAILER-DAEMON  Sun Nov 29 09:05 2026 +0100\n",
        b"From <a@x.org> Fri Nov 13 10:00:00 CET 2026 remote from x\n",
        b">" + POSTMARK + b"\n",
        POSTMARK + b"\n>" + POSTMARK + b"\n",
        b"\xef\xbb\xbf",
        b"\xef\xbb\xbf" + POSTMARK + b"\n",
    ],
)
def test_what_a_mailbox_or_an_editor_puts_before_the_headers_is_left_out(preface):
    message = composed(preface + HEADERS)
    assert message.content == HEADERS
    assert message.subject == "reset"
    assert message.message_id == "<1@x.org>"


@pytest.mark.parametrize(
    "body",
    [
        b"From here on: nothing\nNote: this is a body\n",
        b"From here on Mon Jan is a holiday\nNote: this is a body\n",
        POSTMARK + b"\n\nis how a mailbox has it\n",
        POSTMARK + b"\nis how a mailbox has it\n",
        b"\xef\xbb\xbfHallo\n",
        b"\nFrom a@x.org Mon Jan  1 10:00:00 2026\nSubject: of another one\n",
    ],
)
def test_a_body_that_begins_alike_stays_as_it_is(body):
    assert composed(body).content.endswith(b">\n\n" + body.removeprefix(b"\n"))


def test_a_header_with_a_blank_before_its_colon_stays():
    header = b"From : a@x.org Mon Jan  1 10:00:00 2026\n"
    assert composed(header + HEADERS).content == header + HEADERS


def test_many_lines_of_a_mailbox_with_two_dates_are_read_once():
    # With a look at each line for each date in it, this would take for ever.
    lines = 60 * (POSTMARK + b" Mon Jan  1 10:00:00 2026\n")
    assert composed(lines + HEADERS).content == HEADERS
    assert composed(lines + b"\nbody\n").content.endswith(lines + b"\nbody\n")


def test_the_lines_of_a_mailbox_take_no_memory_for_each_of_them():
    content = 100_000 * (POSTMARK + b"\n") + HEADERS
    tracemalloc.start()
    try:
        assert composed(content).content == HEADERS
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < len(content)
