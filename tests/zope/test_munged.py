"""What is written sooner is what MailHost would have written, byte for byte."""

from __future__ import annotations

from email import message_from_bytes
from email.header import Header
from email.message import EmailMessage, Message
from email.mime.multipart import MIMEMultipart
from email.mime.text import MIMEText
from email.utils import parsedate_to_datetime
from itertools import product

import pytest
from DateTime import DateTime
from Products.MailHost.MailHost import MailHostError, _mungeHeaders

from collective.maildrophost import munged as module
from collective.maildrophost.munged import _munged, munged

DATE = "Tue, 24 Nov 2026 22:29:29 +0000"


def plain(body="All work\nand no play.\n", charset=None, **headers):
    letter = Message()
    letter["Date"] = DATE
    for name, value in headers.items():
        letter[name.replace("_", "-")] = value
    letter.set_payload(body, charset)
    return letter


def several_parts():
    letter = MIMEMultipart()
    letter["Date"] = DATE
    letter.set_boundary("bound")
    letter.attach(MIMEText("grün", "plain", "utf-8"))
    return letter


def modern():
    letter = EmailMessage()
    letter["Date"] = DATE
    letter["Subject"] = "grün"
    letter.set_content("grün")
    return letter


def repeated():
    letter = plain(To="first@x.org", Subject="first")
    letter["To"], letter["Subject"], letter["Cc"] = "b@x.org", "second", "c@x.org"
    return letter


LETTERS = {
    "plain": lambda: plain(From="a@x.org", To="b@x.org", Subject="hello"),
    "without headers": plain,
    "in upper case": lambda: plain(FROM="a@x.org", TO="b@x.org", SUBJECT="x", BCC="x"),
    "quoted-printable": lambda: plain("grün\n" * 99, "utf-8", Subject="grün"),
    "base64": lambda: MIMEText("grün " * 99, "plain", "utf-8"),
    "html": lambda: MIMEText("<p>x</p>", "html", "us-ascii"),
    "no Date": lambda: MIMEText("x"),
    "empty": lambda: plain("", Subject=""),
    "no body": Message,
    "line ends": lambda: plain("a\r\nb\rc\n\n\r\nd"),
    "beyond ASCII": lambda: plain("grün", Subject="grün"),
    "raw octets": lambda: plain(b"gr\xfcn".decode("ascii", "surrogateescape")),
    "encoded words": lambda: plain(Subject=Header("grün " * 30, "utf-8")),
    "folded": lambda: plain(Subject="one\n two", X_Long="word " * 60),
    "long": lambda: plain(X_Long="x" * 300, X_Longer="word " * 200),
    "raw header": lambda: plain(X="gr\udcfcn"),
    "hidden": lambda: plain(Bcc="c@x.org", Cc="d@x.org", Reply_To="e@x.org"),
    "empty Bcc": lambda: plain(Bcc=""),
    "repeated": repeated,
    "several parts": several_parts,
    "modern": modern,
    "text": lambda: f"Date: {DATE}\nSubject: grün\n\ngrün\n",
}
ARGUMENTS = [
    dict(zip(("mto", "mfrom", "subject", "charset"), each, strict=True))
    for each in product(
        ("b@x.org", "Bea <b@x.org>", "b@x.org, c@x.org", ["b@x.org"], "b" * 80 + "@x"),
        ("a@x.org", "Ann Other <a@x.org>", "Günther <a@x.org>"),
        (None, "", "hello", "grün", "word " * 40),
        (None, "utf-8", "iso-8859-1"),
    )
]


def outcome(write, *arguments):
    try:
        content, *_, sender = write(*arguments)
    except (MailHostError, ValueError, LookupError, AttributeError, TypeError) as error:
        return type(error), str(error)
    return content, sender


@pytest.fixture(autouse=True)
def standing_clock(monkeypatch):
    """Both get their Date from the same moment."""

    class Moment:
        def __init__(self, *moment):
            pass

        def rfc822(self):
            return DATE

    module._date.cache_clear()
    monkeypatch.setattr(module, "DateTime", Moment)
    monkeypatch.setattr("Products.MailHost.MailHost.DateTime", Moment)
    yield
    module._date.cache_clear()


@pytest.mark.parametrize("name", LETTERS)
def test_the_bytes_are_those_of_mailhost(name):
    for arguments in ARGUMENTS:
        given = tuple(arguments.values())
        expected = outcome(_mungeHeaders, LETTERS[name](), *given)
        # Twice: the second time from what was remembered.
        assert outcome(_munged, LETTERS[name](), *given) == expected, arguments
        assert outcome(_munged, LETTERS[name](), *given) == expected, arguments


@pytest.mark.parametrize("more", [("text/html", None), (None, "base64")])
def test_a_type_and_an_encoding_are_given_on(more):
    given = ("b@x.org", "a@x.org", None, None, *more)
    expected = outcome(_mungeHeaders, LETTERS["plain"](), *given)
    assert outcome(_munged, LETTERS["plain"](), *given) == expected


def test_the_date_is_that_of_the_second(monkeypatch):
    monkeypatch.setattr(module, "DateTime", DateTime)
    for second in (1_800_000_000, 1_800_000_001):
        monkeypatch.setattr(module.time, "time", lambda second=second: second + 0.9)
        written = message_from_bytes(munged(MIMEText("x"), "b@x.org", "a@x.org")[0])
        assert parsedate_to_datetime(written["Date"]).timestamp() == second
        assert written["Date"] == DateTime(second + 0.9).rfc822()


def test_the_callers_message_stays_as_it_is():
    letter = plain(From="old@x.org", Bcc="c@x.org", Subject="hello")
    before = letter.as_bytes()
    munged(letter, "b@x.org", "a@x.org", "another")
    assert letter.as_bytes() == before


def test_most_mail_is_written_without_mailhost(monkeypatch):
    monkeypatch.setattr(module, "_mungeHeaders", None)
    for letter in (LETTERS["plain"](), LETTERS["quoted-printable"]()):
        munged(letter, "b@x.org", "Ann Other <a@x.org>", "hello")
