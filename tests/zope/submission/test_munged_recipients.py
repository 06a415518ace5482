"""Whoever the recipients are: written sooner, as MailHost would write them."""

from __future__ import annotations

from email.message import EmailMessage
from email.mime.multipart import MIMEMultipart
from email.mime.text import MIMEText
from itertools import product

import pytest
from letters import DATE, outcome
from Products.MailHost.MailHost import _mungeHeaders

from collective.maildrophost.submission import munged as module
from collective.maildrophost.submission.munged import _munged, munged

USUAL = [
    "Bea <b@x.org>",
    "b@x.org, Chris <c@x.org>",
    ["b@x.org", "Günther Grün <c@x.org>"],
    '"Grün, Bea" <b@x.org>',
    "=?utf-8?q?gr=C3=BCn?= <b@x.org>",
    "b@x.org (Bea)",
    "reader" * 20 + "@x.org",
    [f"Reader {number} <reader{number}@x.org>" for number in range(40)],
]
ODD = [" ", ",", ["", "b@x.org"], "ü@x.org", "<b@x.org", "all: b@x.org;", [], "b\n@x"]


def modern():
    letter = EmailMessage()
    letter["Date"], letter["To"] = DATE, "nobody@x.org"
    letter.set_content("grün")
    return letter


def alternatives():
    letter = MIMEMultipart("alternative", boundary="bound")
    letter["To"], letter["Date"], letter["To"] = "first@x.org", DATE, "second@x.org"
    letter.attach(MIMEText("grün", "plain", "utf-8"))
    return letter


LETTERS = {
    "text": lambda: f"To: nobody@x.org\nDate: {DATE}\n\nAll work\nand no play.\n",
    "modern": modern,
    "alternatives": alternatives,
}


@pytest.mark.parametrize("mto", USUAL + ODD)
@pytest.mark.parametrize("name", LETTERS)
def test_recipients_are_written_as_mailhost_writes_them(name, mto):
    # MailHost cannot give a subject to a modern message.
    subjects = (None,) if name == "modern" else (None, "grün")
    for subject, charset in product(subjects, (None, "utf-8", "iso-8859-1")):
        given = (mto, "a@x.org", subject, charset)
        expected = outcome(_mungeHeaders, LETTERS[name](), *given)
        assert outcome(_munged, LETTERS[name](), *given) == expected


@pytest.mark.parametrize("mto", USUAL)
@pytest.mark.parametrize("name", LETTERS)
def test_usual_recipients_take_the_short_way(monkeypatch, name, mto):
    monkeypatch.setattr(module, "_mungeHeaders", lambda *_: pytest.fail("the long way"))
    munged(LETTERS[name](), mto, "a@x.org", "grün", "utf-8")
