"""Whatever a message is made of, its octets are those that MailHost writes.

But for a header that MailHost would cut in two: such a message is refused.
"""

from __future__ import annotations

import re
from copy import deepcopy
from email import policy
from email.message import EmailMessage, Message
from email.mime.multipart import MIMEMultipart
from email.mime.text import MIMEText

from hypothesis import example, given, settings
from hypothesis import strategies as st
from letters import DATE, MADE_UP, MISTAKES
from Products.MailHost.MailHost import MailHostError, _mungeHeaders

from collective.maildrophost.engine.message import InvalidMessage
from collective.maildrophost.submission.munged import _munged

NAMES = ["Subject", "subject", "To", "Cc", "Bcc", "X-A", "Content-Type", "Reply-To"]
NAMES += ["Content-Disposition", "Content-Transfer-Encoding", "MIME-Version"]
VALUES = ["", " ", "a", " a ", "grün", "=?utf-8?q?gr=C3=BCn?=", "word " * 20, "x" * 90]
VALUES += [
    "a\n b",
    "Ann <a@x.org>",
    "(c) b@x.org",
    "base64",
    "gr\udcfcn",
    "\x0b",
    "a;b",
]
VALUES += ["text/html; charset=utf-8", "multipart/mixed; boundary=b", "message/rfc822"]
BODIES = ["", "a\nb\n", "a\r\nb\rc", "grün", "gr\udcfcn", "--b\n", "From a\n"]
CLASSIC = [policy.compat32, policy.compat32.clone(linesep="\r\n")]
MODERN = [policy.default, policy.SMTP, policy.SMTPUTF8, policy.strict]
POLICIES = [*CLASSIC, *MODERN, policy.default.clone(refold_source="all")]
HEADERS = st.lists(
    st.tuples(st.sampled_from(NAMES), st.sampled_from(VALUES)), max_size=3
)


def with_headers(letter, headers):
    for name, value in headers:
        try:
            letter[name] = value
        except (ValueError, TypeError, AttributeError, IndexError):
            letter.set_raw(name, value)
    return letter


def bare(rules, body, headers):
    letter = Message(rules)
    letter.set_payload(body)
    return with_headers(letter, headers)


def modern(rules, html, headers):
    letter = EmailMessage(rules)
    letter.set_content("grün\n")
    if html:
        letter.add_alternative(html, subtype="html")
        letter.add_attachment(b"\0", maintype="image", subtype="png", filename="ü.png")
    return with_headers(letter, headers)


def classic(charset, headers):
    return with_headers(MIMEText("grün", "html", charset), headers)


def several(subtype, boundary, rules, frame, parts, headers):
    letter = MIMEMultipart(subtype, boundary, parts, policy=rules)
    letter.preamble = letter.epilogue = frame
    return with_headers(letter, headers)


LEAVES = st.one_of(
    st.builds(bare, st.sampled_from(POLICIES), st.sampled_from(BODIES), HEADERS),
    st.builds(modern, st.sampled_from(MODERN), st.sampled_from(["", "<p>x"]), HEADERS),
    st.builds(classic, st.sampled_from(["utf-8", "iso-8859-1"]), HEADERS),
)
LETTERS = st.recursive(
    LEAVES,
    lambda parts: st.builds(
        several,
        st.sampled_from(["mixed", "alternative", "signed", "digest"]),
        st.sampled_from([None, "b", "b b"]),
        st.sampled_from(POLICIES),
        st.sampled_from([None, "", "a\r\nb"]),
        st.lists(parts, max_size=3),
        HEADERS,
    ),
    max_leaves=4,
)
CHARSETS = st.sampled_from([None, "utf-8", "iso-8859-1", "utf-16", "nonsense"])
RECIPIENTS = st.sampled_from(
    [
        "b@x.org",
        "Bea <b@x.org>",
        "Günther <b@x.org>, " * 9 + "c@x.org",
        ["=?utf-8?q?gr=C3=BCn?= <b@x.org>"],
    ]
)
SUBJECTS = st.sampled_from([None, "", "hello", "grün", "word " * 30])


CUT = bare(policy.compat32, "", [("Content-Type", "\x0b")])
CUT_HEADER = re.compile(rb"^Content-[^\n]*\n;", re.MULTILINE)
"""A line of a header that is no header: what follows would be read as the body."""


def outcome(write, letter, *arguments):
    try:
        content, *_ = write(letter, *arguments)
    except (MailHostError, *MISTAKES) as error:
        return type(error)
    return content


def alike(found):
    """An error's class, or the octets but for what differs each time."""
    return found if isinstance(found, type) else MADE_UP.sub(b"made up", found)


def state(letter):
    return [
        [(name, str(value)) for name, value in part.raw_items()]
        for part in letter.walk()
    ]


@example(
    several("mixed", None, policy.compat32, None, [CUT], []),
    "b@x.org",
    None,
    "utf-8",
    None,
)
@given(LETTERS, RECIPIENTS, SUBJECTS, CHARSETS, st.sampled_from([None, "text/html"]))
@settings(deadline=None, max_examples=300)
def test_the_octets_are_those_of_mailhost(letter, mto, subject, charset, msg_type):
    letter["Date"] = DATE
    if isinstance(letter.policy, policy.EmailPolicy):
        subject = None  # MailHost cannot give one to such a message.
    arguments = mto, "Ann <a@x.org>", subject, charset, msg_type
    before = state(letter)
    expected = outcome(_mungeHeaders, deepcopy(letter), *arguments)
    written = outcome(_munged, letter, *arguments)
    if isinstance(expected, bytes) and CUT_HEADER.search(expected):
        assert written is InvalidMessage
    elif written is InvalidMessage:
        assert isinstance(expected, type)
    else:
        assert alike(written) == alike(expected)
    assert state(letter) == before
