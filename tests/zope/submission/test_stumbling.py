"""What the email package stumbles over is refused like all that it can't make out."""

from __future__ import annotations

from contextlib import suppress
from email import message_from_bytes, policy
from email.header import Header
from email.message import EmailMessage
from email.mime.text import MIMEText

import pytest
from Products.MailHost.MailHost import MailHostError


@pytest.mark.parametrize(
    "address",
    [
        ".=?@",
        "\t.=C3@,",
        '?=\tiso-8859-1.? :"',
        "?ü:;=\\=?",
        "\t*@[<iso-8859-1'ü>",
        " :?b?=?",
    ],
)
@pytest.mark.parametrize("argument", ["mto", "mfrom"])
def test_addresses_that_the_email_package_stumbles_over_are_refused(
    host, refused, argument, address
):
    """It raises IndexError, TypeError or AttributeError."""
    addresses = {"mto": "to@example.org", "mfrom": "from@example.org"}
    with refused():
        host.send(EmailMessage(), **{**addresses, argument: address})


@pytest.mark.parametrize("sign", "(:")
def test_a_sender_that_the_email_package_recurses_over_is_refused(host, refused, sign):
    with refused("cannot be written|unbalanced bracket"):  # not in every Python
        host.send("hi", "to@example.org", sign * 5000)


def test_a_message_that_mailhost_stumbles_over_is_refused(host, refused):
    mail = MIMEText("hi")
    mail["To"] = Header("to@example.org")
    with refused("cannot be written"):
        host.send(mail, mfrom="from@example.org")


@pytest.mark.parametrize(
    "headers",
    [
        b'Bcc: "',
        b"Cc: <@",
        b"To: a@[",
        b"Bcc: =?utf-8?q?=0D=0A?=",
        b"Reply-To: =?utf-8?q?=0A?= <a@b>\xff\nTo: to@example.org",
        b"Reply-To: <a@[>\xff\nTo: to@example.org",
    ],
)
def test_headers_that_the_email_package_stumbles_over_break_no_page(host, headers):
    """As one that came in, and is passed on; newer releases of Python may read it."""
    mail = message_from_bytes(headers + b"\n\nhi\n", policy=policy.default)
    with suppress(MailHostError):
        host.send(mail, mfrom="from@example.org")


def test_a_header_that_the_email_package_trips_over_is_refused(host, refused):
    """It raises UnboundLocalError."""
    mail = message_from_bytes(b"Cc: \xc3\xbc@[ \n\nhi\n", policy=policy.default)
    with refused("cannot be written"):
        host.send(mail, "to@example.org", "from@example.org")


@pytest.mark.parametrize("name", ["Reply-To", "Message-Id"])
def test_a_message_of_an_add_on_that_cannot_be_written_is_refused(host, refused, name):
    mail = message_from_bytes(
        f"{name}: {'(' * 5000}\n\nhi\n".encode(), policy=policy.default
    )
    with refused("cannot be written"):
        host._send("from@example.org", ["to@example.org"], mail)


@pytest.mark.parametrize("name", ["To", "Reply-To", "Content-Type"])
def test_half_a_character_in_a_header_is_refused(host, refused, name):
    """JSON may have one: "\\ud800"."""
    with refused(r"cannot be (read|written)"):
        host.send(f"{name}: \ud800 <a@b.org>\nTo: c@d.org\n\nhi", mfrom="e@f.org")
