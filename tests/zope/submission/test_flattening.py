"""A message is flattened as the email package does it, byte for byte."""

from __future__ import annotations

from email import message_from_bytes, message_from_string, policy
from email.header import Header
from email.message import EmailMessage, Message
from email.mime.application import MIMEApplication
from email.mime.image import MIMEImage
from email.mime.message import MIMEMessage
from email.mime.multipart import MIMEMultipart
from email.mime.text import MIMEText

import pytest
from hypothesis import given
from hypothesis import strategies as st
from letters import MADE_UP

from collective.maildrophost.submission.flattening import (
    Unusual,
    copied,
    flattened,
    new_header,
)

SEVEN_BITS = policy.default.clone(cte_type="7bit")


def modern(text="All work\nand no play.\n", **headers):
    letter = EmailMessage()
    for name, value in headers.items():
        letter[name.replace("_", "-")] = value
    letter.set_content(text)
    return letter


def newsletter():
    letter = modern("grün\n" * 50, From="Ann <a@x.org>", Subject="News, all grün " * 9)
    letter.add_alternative("<p>grün</p>" * 200, subtype="html")
    return letter


def with_attachments():
    letter = newsletter()
    letter.add_attachment(b"\0\1" * 300, maintype="image", subtype="png", filename="ü")
    letter.add_attachment("a,b\n" * 9, filename="a table.csv")
    return letter


def classic(*parts, **options):
    letter = MIMEMultipart(**options)
    letter["Subject"] = Header("grün " * 30, "utf-8")
    for part in parts:
        letter.attach(part)
    return letter


def framed():
    letter = classic(MIMEText("x"), boundary="frame")
    letter.preamble, letter.epilogue = "before\r\nall", "after\rall\n"
    return letter


def with_headers(letter, *pairs):
    for name, value in pairs:
        letter[name] = value
    return letter


def with_text(letter):
    letter.set_payload("text")
    return letter


USUAL = {
    "classic text": lambda: MIMEText("grün", "plain", "utf-8"),
    "classic alternatives": lambda: classic(MIMEText("a"), MIMEText("<p>a", "html")),
    "classic attachments": lambda: classic(
        classic(MIMEText("grün"), MIMEImage(b"GIF8", "gif")),
        MIMEApplication(b"\0" * 99),
    ),
    "no parts": classic,
    "a frame": framed,
    "long headers": lambda: with_headers(
        MIMEText("x"),
        ("A", "word " * 80),
        ("B", "x" * 200),
        ("C", "one\n\ttwo"),
        ("D", ""),
    ),
    "blanks": lambda: with_headers(MIMEText("x"), ("A", "  a  b "), ("B", "\ta")),
    "short lines": lambda: with_headers(
        with_text(Message(policy.compat32.clone(max_line_length=40))),
        ("A", "word " * 12 + "end"),
    ),
    "a header of another": lambda: with_headers(
        MIMEText("x", policy=policy.default),
        ("SUBJECT", modern(Subject="a")["Subject"]),
    ),
    "line ends": lambda: MIMEText("a\r\nb\rc\n\nd\x0b\x0ce"),
    "modern text": lambda: modern(To="Bea <b@x.org>", Cc="c@x.org (a comment)"),
    "newsletter": newsletter,
    "attachments": with_attachments,
    "modern headers": lambda: with_headers(
        modern(),
        ("Message-ID", "<a@x.org>"),
        ("Date", "Wed, 25 Nov 2026 05:00:00 +0000"),
        ("List-Unsubscribe", "<https://x.org/" + "a" * 80 + ">, <mailto:b@x.org>"),
        ("X-Words", "=?utf-8?q?gr=C3=BCn?= and =?bad?="),
        ("Reply-To", '"Ann (b) Other" <a@x.org>, Group: c@x.org;'),
    ),
    "raw octets": lambda: message_from_bytes(b"Subject: a\n\ngr\xfcn"),
    "eight bits": lambda: message_from_bytes(
        b"Content-Transfer-Encoding: 8bit\n\n\xc3\xbc", policy=policy.default
    ),
    "read": lambda: message_from_string("Subject: a\n b\nTo:  x@y\n\nbody\r\n"),
    "read, to be folded anew": lambda: message_from_bytes(
        b"Date: inline\nX-A: a\nContent-Disposition: a;b\n\nbody",
        policy=policy.default.clone(refold_source="all"),
    ),
    "a modern header in a classic message": lambda: with_headers(
        MIMEText("x"), ("SUBJECT", modern(Subject="a")["Subject"])
    ),
    "read as modern": lambda: message_from_bytes(
        b"Subject: gr\xc3\xbcn =?utf-8?q?gr=C3=BCn?=\r\nTo: (a) b@x.org\r\n\r\nbody",
        policy=policy.default,
    ),
}
UNUSUAL = {
    "a message within": lambda: classic(MIMEMessage(MIMEText("x"))),
    "a digest": lambda: classic(with_headers(Message()), _subtype="digest"),
    "a signature": lambda: classic(MIMEText("x"), MIMEText("y"), _subtype="signed"),
    "octets for seven bits": lambda: message_from_bytes(
        b"Content-Transfer-Encoding: 8bit\n\n\xc3\xbc", policy=SEVEN_BITS
    ),
    "no body": Message,
    "a text of many parts": lambda: message_from_string(
        "Content-Type: multipart/mixed\n\nnone"
    ),
    "a class of its own": lambda: with_text(type("Own", (Message,), {})()),
    "a part of a newer kind": lambda: classic(modern("x" * 90)),
    "a part of an older kind": lambda: MIMEMultipart(
        _subparts=[MIMEText("x")], policy=policy.default
    ),
    "a policy of its own": lambda: with_text(
        Message(type("Own", (policy.EmailPolicy,), {})())
    ),
}

# Some octets cannot be decoded, and decoded words do not tell how they were encoded.
ALIKE = [
    (b"\xf0\xd2\xc9\xd7\xc5\xd4", b"\xd0\xf2\xe9\xf7\xe5\xf4"),
    (b"=?utf-8?q?gr=FC?= " + b"x" * 70, b"=?utf-8?q?gr=E4?= " + b"x" * 70),
    (b"=?utf-8?q?gr=C3=BCn?=", b"=?iso-8859-1?q?gr=FCn?="),
]


def as_package(letter):
    return MADE_UP.sub(b"made up", letter.as_bytes())


def as_ours(letter):
    return MADE_UP.sub(b"made up", flattened(letter, letter.policy))


@pytest.mark.parametrize("name", USUAL)
def test_the_octets_are_those_of_the_package(name):
    # Twice: the second time from what was remembered.
    for _ in range(2):
        letter, same = USUAL[name](), USUAL[name]()
        assert as_ours(letter) == as_package(same)


@pytest.mark.parametrize("name", USUAL)
def test_the_message_stays_as_it_was(name):
    letter = USUAL[name]()
    before = letter.items(), [part.items() for part in letter.walk()]
    twin = copied(letter)
    for part in twin.walk():
        part["X-New"] = "new"
    flattened(letter, letter.policy)
    assert (letter.items(), [part.items() for part in letter.walk()]) == before
    assert b"X-New: new" in twin.as_bytes()


@pytest.mark.parametrize("name", UNUSUAL)
def test_the_rest_is_left_to_the_package(name):
    letter = UNUSUAL[name]()
    with pytest.raises(Unusual):
        flattened(letter, letter.policy)


def test_only_known_classes_are_copied():
    with pytest.raises(Unusual):
        copied(UNUSUAL["a class of its own"]())


def test_headers_are_left_out_and_added():
    letter = with_headers(modern(), ("To", "a@x.org"), ("X-Kept", "yes"))
    added = [new_header(letter.policy, "To", "Bea <b@x.org>")]
    written = message_from_bytes(flattened(letter, letter.policy, {"to"}, added))
    assert written.get_all("To") == ["Bea <b@x.org>"]
    assert written["X-Kept"] == "yes"


def test_a_comment_is_never_that_of_another_mail():
    for comment in ("one", "two"):
        letter = with_headers(modern(), ("Cc", f"c@x.org ({comment})"))
        assert as_ours(letter) == as_package(letter)
        assert comment.encode() in as_ours(letter)


@pytest.mark.parametrize("values", ALIKE)
def test_octets_that_look_alike_are_never_those_of_another_mail(values):
    read = [
        message_from_bytes(b"Subject: " + value + b"\n\nx", policy=policy.default)
        for value in values
    ]
    assert len({str(letter["Subject"]) for letter in read}) == 1
    for letter in read:
        mail = with_headers(modern(), ("Subject", letter["Subject"]))
        expected = as_package(with_headers(modern(), ("Subject", letter["Subject"])))
        assert as_ours(mail) == expected


def test_a_boundary_is_made_anew_each_time():
    letter = classic(MIMEText("x"))
    first, second = (flattened(letter, letter.policy) for _ in range(2))
    assert first != second
    for written in (first, second):
        (part,) = message_from_bytes(written).get_payload()
        assert part.get_payload() == "x"


def test_a_boundary_does_not_come_in_the_parts(monkeypatch):
    numbers = iter((1, 1, 2))
    monkeypatch.setattr(
        "collective.maildrophost.submission.flattening.secrets.randbelow",
        lambda _: next(numbers),
    )
    inner = flattened(classic(MIMEText("x")), policy.compat32)
    letter = classic(MIMEText(inner.decode("ascii")))
    (part,) = message_from_bytes(flattened(letter, letter.policy)).get_payload()
    assert part.get_payload() == inner.decode("ascii")


NAMES = st.sampled_from(
    [
        "Subject",
        "To",
        "Cc",
        "X-Other",
        "Message-ID",
        "Date",
        "Content-Type",
        "References",
    ]
)
VALUES = st.one_of(
    st.text(st.sampled_from('ab:;,<>@()"\\=?_ /.ü\u20ac1'), max_size=100),
    st.sampled_from(["text/html; charset=utf-8", "multipart/mixed", "message/rfc822"]),
)
BODIES = st.text(st.sampled_from("ab\r\n .-\x0c"), max_size=50)
POLICIES = st.sampled_from(
    [
        policy.compat32,
        policy.default,
        policy.SMTP,
        policy.compat32.clone(linesep="\r\n"),
    ]
)


@given(POLICIES, st.lists(st.tuples(NAMES, VALUES), max_size=4), BODIES)
def test_whatever_is_in_it_the_octets_are_the_same(rules, headers, body):
    letter = Message(rules)
    for name, value in headers:
        try:
            letter[name] = value
        except Exception:
            continue
    letter.set_payload(body)
    try:
        ours = flattened(letter, rules)
    except Exception as error:
        ours = type(error)
    if ours is Unusual:
        return
    try:
        expected = letter.as_bytes()
    except Exception as error:
        expected = type(error)
    assert ours == expected
