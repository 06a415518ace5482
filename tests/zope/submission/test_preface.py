"""A text is sent without what an editor or a mailbox has put before its headers."""

from __future__ import annotations

from email import message_from_bytes

import pytest

TEXT = "Subject: hello\nTo: to@example.org\nContent-Type: text/html\n\n<p>hi</p>"
POSTMARK = "From a@x.org Mon Jan  1 10:00:00 2026\n"


@pytest.mark.parametrize("kind", [str, str.encode])
@pytest.mark.parametrize(
    "before", ["\ufeff", POSTMARK, f">{POSTMARK}", f"\ufeff{POSTMARK}"]
)
def test_the_headers_of_a_text_are_its_headers(host, sent, content_of, kind, before):
    """As a template has it that was saved as UTF-8 "with signature"."""
    host.send(kind(before + TEXT), mfrom="from@example.org")
    message = sent()
    assert [each.address for each in message.recipients] == ["to@example.org"]
    mail = message_from_bytes(content_of(message))
    assert (mail["Subject"], mail.get_content_type()) == ("hello", "text/html")
    assert mail.get_payload() == "<p>hi</p>"


def test_a_text_without_headers_keeps_its_beginning(host, sent, content_of):
    text = ">From here on: quoted\n"
    host.send(text, "to@example.org", "from@example.org", "s")
    assert content_of(sent()).endswith(b"\r\n\r\n>From here on: quoted\r\n")
