"""A domain beyond ASCII is written in ASCII, where it is of an address only."""

from __future__ import annotations

from email import message_from_bytes, policy
from email.message import EmailMessage
from email.mime.text import MIMEText

import pytest

UMLAUTS = "Info <info@müller.example>"
ASCII = b"<info@xn--mller-kva.example>"


@pytest.mark.parametrize(
    ("message", "options"),
    [
        ("Subject: s\n\nhi", {"mto": UMLAUTS}),
        ("Subject: s\n\nhi", {"mto": [UMLAUTS]}),
        ("Subject: s\n\nhi", {"mto": [UMLAUTS.replace("Info", "Müller")]}),
        ("Subject: s\n\nhi", {"mto": "to@example.org", "mfrom": UMLAUTS}),
        (f"Subject: s\nTo: {UMLAUTS}\n\nhi", {}),
        (f"Subject: s\r\nreply-to:\r\n {UMLAUTS}\r\n\r\nhi", {"mto": "a@b.org"}),
        (f"Subject: s\nCc: b@c.org,\n {UMLAUTS}\n\nhi", {"mto": "a@b.org"}),
    ],
)
def test_a_domain_beyond_ascii_is_written_in_ascii(
    host, sent, content_of, message, options
):
    host.send(message, **{"mfrom": "from@example.org", **options})
    content = content_of(sent())
    assert ASCII in content
    assert content.endswith(b"\nhi")


@pytest.mark.parametrize(
    "name", ["From", "Sender", "Reply-To", "To", "Cc", "Resent-From", "Resent-To"]
)
def test_each_header_of_addresses_has_its_domains_in_ascii(
    host, sent, content_of, name
):
    headers = {"From": "from@example.org", "To": "to@example.org", name: UMLAUTS}
    host.send("".join(f"{name}: {headers[name]}\n" for name in headers) + "\nhi")
    assert ASCII in content_of(sent())


def test_a_hidden_recipient_may_have_a_domain_beyond_ascii(host, sent, content_of):
    host.send(f"Bcc: {UMLAUTS}\nFrom: from@example.org\n\nhi")
    message = sent()
    assert [each.address for each in message.recipients] == ["info@müller.example"]
    assert b"ller" not in content_of(message)


@pytest.mark.parametrize("kind", [EmailMessage, lambda: MIMEText("hi")])
def test_a_message_object_is_written_in_ascii_and_stays_as_it_is(
    host, sent, content_of, kind
):
    mail = kind()
    mail["To"] = "b@c.org"
    mail["Cc"] = UMLAUTS
    host.send(mail, "a@b.org", "from@example.org")
    assert ASCII in content_of(sent())
    assert mail["Cc"] == UMLAUTS


def test_the_other_headers_of_a_message_object_stay(host, sent, content_of):
    mail = MIMEText("hi")
    mail["Subject"] = "at info@müller.example"
    mail["Reply-To"] = "b@c.org"
    mail["Reply-To"] = UMLAUTS
    host.send(mail, "a@b.org", "from@example.org")
    written = message_from_bytes(content_of(sent()), policy=policy.default)
    assert written["Subject"] == "at info@müller.example"
    assert written.get_all("Reply-To") == ["b@c.org", f"Info {ASCII.decode()}"]


def test_a_text_about_a_domain_beyond_ascii_is_left_alone(host, sent, content_of):
    text = "Subject: at info@müller.example\n\nTo: info@müller.example\n"
    host.send(text, "a@b.org", "from@example.org", charset="utf-8")
    message = sent()
    assert message.subject == "at info@müller.example"
    assert b"To: info@m=C3=BCller.example" in content_of(message)


@pytest.mark.parametrize(
    "text",
    [
        "Hello,\nTo: info@müller.example\n",
        "A request\nFrom: jörg@müller.example\nTo: info@müller.example\n\nhello\n",
        "\nReply-To: info@müller.example\nhello\n",
        "\r\nReply-To: info@müller.example\r\nhello\r\n",
    ],
)
def test_a_text_without_headers_is_left_alone(host, sent, content_of, text):
    host.send(text, "a@b.org", "from@example.org", "a subject", charset="utf-8")
    mail = message_from_bytes(content_of(sent()))
    body = mail.get_payload(decode=True).decode().replace("\r\n", "\n")
    assert body == text.replace("\r\n", "\n").removeprefix("\n")


def test_the_head_of_a_text_is_what_the_email_package_takes_for_it(
    host, sent, content_of
):
    text = f"From the Unix mailbox\n: \nSubject: s\nReply-To: {UMLAUTS}\nhi"
    host.send(text, "a@b.org", "from@example.org")
    content = content_of(sent())
    assert b"Reply-To: Info " + ASCII in content
    assert content.endswith(b"\nhi")


@pytest.mark.parametrize(
    "more", ["\nBcc : b@c.org", "\n\nBuy this", "\x1cBcc: b@c.org"]
)
def test_no_header_begins_because_a_domain_is_written_in_ascii(host, refused, more):
    mail = MIMEText("hi")
    mail["Reply-To"] = "info@müller.example" + more
    with refused("line break or NUL in the header"):
        host.send(mail, "a@b.org", "from@example.org", "a subject")
