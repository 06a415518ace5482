"""What is written sooner is what MailHost would have written, byte for byte."""

from __future__ import annotations

from copy import deepcopy
from email import message_from_bytes, policy
from email.charset import Charset
from email.message import EmailMessage
from email.mime.text import MIMEText
from email.utils import parsedate_to_datetime
from itertools import product

import pytest
from DateTime import DateTime
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from letters import DATE, LETTERS, USUAL, modern, outcome
from Products.MailHost.MailHost import _mungeHeaders

from collective.maildrophost.submission import munged as module
from collective.maildrophost.submission.munged import _munged, munged

ARGUMENTS = [
    *product(
        ("b@x.org", "Bea <b@x.org>", "b@x.org, c@x.org", ["b@x.org"], "b" * 80 + "@x"),
        ("a@x.org", "Ann Other <a@x.org>", "Günther <a@x.org>"),
        (None, "", "hello", "grün", "word " * 40),
        (None, "utf-8", "iso-8859-1"),
        (None,),
    ),
    *product(("b@x.org",), ("a@x.org",), (None, "x"), (None, "utf-8"), ("text/html",)),
    ("b@x.org", "", None, None, None),
]


def as_mailhost(letter, mto, mfrom, subject, *more):
    """MailHost itself; it cannot give a subject to a modern message."""
    if not (subject and isinstance(letter, EmailMessage)):
        return _mungeHeaders(letter, mto, mfrom, subject, *more)
    del letter["Subject"]
    content, *rest = _mungeHeaders(letter, mto, mfrom, None, *more)
    alone = EmailMessage()
    alone["Subject"] = subject
    return content.replace(b"Subject: [No Subject]\n", alone.as_bytes()[:-1]), *rest


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
    for values in ARGUMENTS:
        expected = outcome(as_mailhost, LETTERS[name](), *values)
        # Twice: the second time from what was remembered.
        assert outcome(_munged, LETTERS[name](), *values) == expected, values
        assert outcome(_munged, LETTERS[name](), *values) == expected, values


LINES = [
    "Subject: a\n",
    "X:b\n",
    " c\n",
    ": d\n",
    "From a@x.org\n",
    "From: e",
    "f\n",
    "\n",
    "Content-Type: text/html\n",
    "Content-Type: multipart/x\n",
    "Bcc: ü@x.org\n",
]
HEADS = st.lists(st.sampled_from(LINES), max_size=6)
TAILS = st.text(st.sampled_from("ab\r\n :\tü\x0c"), max_size=20)


@example(["Subject: a\n"], " \x0c::", None)  # the package refuses to write it
@given(HEADS, TAILS, st.sampled_from((None, "utf-8")))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_text_is_read_as_mailhost_reads_it(head, tail, charset):
    text = f"Date: {DATE}\n" * (len(tail) % 2) + "".join(head) + tail
    arguments = (text, "b@x.org", "a@x.org", None, charset)
    assert outcome(_munged, *arguments) == outcome(_mungeHeaders, *arguments)


def test_an_encoding_is_passed_on():
    values = ("b@x.org", "a@x.org", None, None, None, "base64")
    expected = outcome(_mungeHeaders, LETTERS["plain"](), *values)
    assert outcome(_munged, LETTERS["plain"](), *values) == expected


@pytest.mark.parametrize("name", USUAL)
@pytest.mark.parametrize("more", [(), ("grün", "utf-8")])
def test_usual_mail_takes_the_short_way(monkeypatch, name, more):
    monkeypatch.setattr(module, "_mungeHeaders", lambda *_: pytest.fail("the long way"))
    munged(LETTERS[name](), "b@x.org", "Ann <a@x.org>", *more)


@pytest.mark.parametrize("name", USUAL)
@pytest.mark.parametrize("more", [(), ("grün", "utf-8", "text/html")])
def test_the_message_stays_as_it_was(name, more):
    letter = LETTERS[name]()
    before = written_of(letter)
    munged(letter, "c@x.org", "Ann <a@x.org>", *more)
    assert written_of(letter) == before


def written_of(letter):
    return str(letter) if isinstance(letter, str) else outcome(as_it_is, letter)


def as_it_is(letter):
    return deepcopy(letter).as_bytes(), "nobody"


@pytest.mark.parametrize("mto", ["b@x.org", "Bea <b@x.org>"])
def test_a_modern_message_takes_a_subject(mto):
    letter = modern()
    content, _ = munged(letter, mto, "a@x.org", "grüner", "utf-8")
    written = message_from_bytes(content, policy=policy.default)
    assert written["Subject"] == "grüner"
    assert letter["Subject"] == "grün"


@pytest.mark.parametrize("mto", ["b@x.org", "Bea <b@x.org>"])
def test_a_subject_is_never_that_of_another_mail(mto):
    subjects = [
        message_from_bytes(b"Subject: " + octets + b"\n\n", policy=policy.default)[
            "Subject"
        ]
        for octets in (b"\xf0\xd2", b"\xd0\xf2")
    ]
    assert str(subjects[0]) == str(subjects[1])
    for subject in subjects:
        alone = EmailMessage()
        alone["Subject"] = subject
        content, _ = munged(modern(), mto, "a@x.org", subject)
        assert alone.as_bytes()[:-1] in content


def test_a_charset_may_be_an_object():
    values = ("b@x.org", "a@x.org", "grün", Charset("utf-8"))
    expected = outcome(_mungeHeaders, LETTERS["plain"](), *values)
    assert outcome(_munged, LETTERS["plain"](), *values) == expected


def test_the_date_is_that_of_the_second(monkeypatch):
    monkeypatch.setattr(module, "DateTime", DateTime)
    for second in (1_800_000_000, 1_800_000_001):
        monkeypatch.setattr(module.time, "time", lambda second=second: second + 0.9)
        written = message_from_bytes(munged(MIMEText("x"), "b@x.org", "a@x.org")[0])
        assert parsedate_to_datetime(written["Date"]).timestamp() == second
        assert written["Date"] == DateTime(second + 0.9).rfc822()
