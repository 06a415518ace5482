"""What is one header to its writer is one header of the mail, or it is refused."""

from __future__ import annotations

from base64 import b64encode
from contextlib import suppress
from email import message_from_bytes, policy
from email.header import Header
from email.message import EmailMessage
from email.mime.text import MIMEText
from urllib.parse import quote

import pytest
import transaction
from Products.MailHost.MailHost import MailHostError

ADDED = {"to", "from", "date", "subject", "message-id"}
ALWAYS = {*ADDED, "mime-version", "x-a", "content-type", "content-disposition"}
ALWAYS |= {"content-transfer-encoding", "reply-to"}
BREAKS = ["\n", "\r", "\r\n", "\n\n", "\n \n", "\0"]
PLACES = ["a{}Bcc: c@d.org", "a{}", "{}a", "a{}\n body", "a{} b"]
DECODED = [place.format(ends) for place in PLACES for ends in BREAKS]


def encoded(value):
    # By hand: the email package never puts a line break into an encoded word.
    return f"=?utf-8?q?{''.join(f'={octet:02X}' for octet in value.encode())}?="


def in_base64(value):
    return f"=?iso-8859-1?b?{b64encode(value.encode()).decode()}?="


ENCODED = [encoded(value) for value in DECODED]
LONG = " and so on" * 9
ENCODED += [
    *(in_base64(value) for value in DECODED),
    *(value + LONG for value in ENCODED),
    *(LONG + " " + value for value in ENCODED),
    *(f'"{value}"' for value in ENCODED),
]
IN_PERCENTS = [f"plain; a*=utf-8''{quote(value)}" for value in DECODED]
assert not any("\n" in value or "\r" in value for value in ENCODED)
VALUES = DECODED + ENCODED
NAMES = ["X-A", "Subject", "Content-Disposition", "To"]
RECIPIENTS = ["to@x.org", "To <to@x.org>"]  # one the short way, one the long


def text():
    return "X-A: x\n\nhi\n"


def untyped():
    letter = EmailMessage()
    letter.set_payload("hi\n")
    return letter


def classic():
    return MIMEText("hi\n")


def modern(rules=policy.default):
    letter = EmailMessage(rules)
    letter.set_content("hi\n")
    return letter


def strict():
    return modern(policy.SMTP)


def with_header(letter, name, value):
    letter[name] = value
    return letter


def as_read(letter, name, value):
    head = f"{name}: {value}\n".encode()
    return message_from_bytes(head + letter.as_bytes(), policy=letter.policy)


def with_raw(letter, name, value):
    letter.set_raw(name, value)
    return letter


@pytest.fixture
def send_all(host, mails, content_of):
    """Sends those `(message, arguments)` that are accepted; each arrives whole."""

    def send(letters):
        accepted = 0
        for letter, arguments in letters:
            with suppress(MailHostError):
                host.send(letter, **{"mfrom": "from@x.org", **arguments})
                accepted += 1
        transaction.commit()
        assert len(mails()) == accepted > 0
        for mail in mails():
            written = content_of(mail)
            assert is_whole(message_from_bytes(written)), written

    return send


def is_whole(mail):
    part = mail.get_payload(0) if mail.is_multipart() else mail
    names = {name.lower() for name in mail}
    return ALWAYS >= names >= ADDED and part.get_payload().split() == ["hi"]


@pytest.mark.parametrize("kind", [text, classic, modern, strict])
@pytest.mark.parametrize("argument", ["subject", "mfrom", "mto", "msg_type"])
@pytest.mark.parametrize("mto", RECIPIENTS)
def test_an_argument_is_one_header_or_refused(send_all, kind, argument, mto):
    address = " <b@x.org>" if argument in ("mto", "mfrom") else ""
    send_all(
        (kind(), {"mto": mto, argument: value + address})
        for value in (*VALUES, "text/plain")
    )


@pytest.mark.parametrize("argument", ["charset", "msg_type"])
@pytest.mark.parametrize("mto", RECIPIENTS)
def test_what_tells_the_type_of_a_message_is_one_header_or_refused(
    host, mails, content_of, argument, mto
):
    values = [*VALUES, *IN_PERCENTS, "plain"]
    for value in (*values, *(f"text/{value}" for value in values)):
        with suppress(MailHostError):
            host.send(untyped(), mto, "from@x.org", **{argument: value})
    transaction.commit()
    assert mails()
    for mail in mails():
        written = message_from_bytes(content_of(mail))
        assert ALWAYS >= {name.lower() for name in written} >= ADDED, written
        assert written.get_payload(decode=True).split() == [b"hi"]


@pytest.mark.parametrize("kind", [text, classic, modern, strict])
def test_the_name_of_a_group_is_part_of_one_header_or_refused(send_all, kind):
    send_all((kind(), {"mto": f"{value}: b@x.org;"}) for value in (*VALUES, "All"))


@pytest.mark.parametrize("kind", [classic, modern, strict])
@pytest.mark.parametrize("give", [with_header, with_raw])
@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("mto", RECIPIENTS)
def test_a_header_of_a_message_stays_one_or_is_refused(send_all, kind, give, name, mto):
    def letters():
        for value in (*VALUES, "a"):
            # Some values the email package refuses in a message of this kind.
            with suppress(ValueError, AttributeError):
                yield give(kind(), name, value), {"mto": mto}

    send_all(letters())


@pytest.mark.parametrize("kind", [classic, modern, strict])
@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("mto", RECIPIENTS)
def test_a_header_of_a_message_that_was_read_stays_one_or_is_refused(
    send_all, kind, name, mto
):
    send_all((as_read(kind(), name, value), {"mto": mto}) for value in ENCODED)


@pytest.mark.parametrize("kind", [modern, strict])
@pytest.mark.parametrize("shape", ["a@{}", "]{}..", "a@x.org ({})"])
def test_what_a_list_of_addresses_does_not_tell_begins_no_header(send_all, kind, shape):
    values = [*map(encoded, DECODED), "x.org"]
    send_all(
        (with_header(kind(), "Reply-To", shape.format(value)), {"mto": "to@x.org"})
        for value in values
    )


@pytest.mark.parametrize("kind", [modern, strict])
def test_a_line_break_after_the_last_address_ends_no_headers(send_all, kind):
    send_all(
        (with_header(kind(), "Reply-To", "<a@x.org>" + end), {"mto": "to@x.org"})
        for end in [" \n", ""]
    )


@pytest.mark.parametrize("argument", ["mto", "mfrom"])
def test_blanks_around_an_address_hide_no_line_break(send_all, argument):
    hidden = encoded("a:") + "." + encoded("\n") + " "
    send_all(
        (modern(), {"mto": "to@x.org", argument: address})
        for address in (hidden, "a@x.org")
    )


@pytest.mark.parametrize("sign", "\x0b\x1c\u2028")
def test_the_name_of_a_group_ends_no_header(host, refused, sign):
    with refused("line break or control character"):
        host.send("hi", f"Team{sign}Bcc: to@x.org;", "from@x.org")


@pytest.mark.parametrize("mto", RECIPIENTS)
def test_a_header_that_cannot_be_written_may_be_replaced(send_all, mto):
    send_all([(with_raw(modern(), "To", Header("a\nb")), {"mto": mto})])


@pytest.mark.parametrize("first", ["From a@x.org Mon Jan  1 10:00:00 2026", " x: "])
def test_a_bare_cr_is_refused_below_a_line_that_ends_the_headers_for_the_rfc(
    host, first
):
    """The email package reads on, and MailHost with it."""
    letter = f"{first}\nSubject: hello\rBcc: evil@x.org\nTo: b@x.org\n\nhi\n"
    with pytest.raises(MailHostError):
        host.send(letter, mfrom="f@x.org")


@pytest.mark.parametrize("separator", "\x0b\x0c\x1c\x1d\x1e\x85\u2028\u2029")
@pytest.mark.parametrize("mto", RECIPIENTS)
def test_a_separator_for_the_email_package_alone_becomes_a_blank(
    host, mails, content_of, separator, mto
):
    """As in a title pasted from a word processor: To and From came into the body."""
    title = f"Annual{separator}Reply-To : x@y.org"
    text = f"X-A: {title}\n\nAnnual{separator}report\n"
    host.send(text, mto, "from@x.org", title)
    host.send(f"Subject: {title}\n{text}", mto, "from@x.org")
    transaction.commit()
    for mail in mails():
        written = message_from_bytes(content_of(mail))
        assert {name.lower() for name in written} >= ADDED
        assert written["Subject"] == written["X-A"] == "Annual Reply-To : x@y.org"
        body = written.get_payload(decode=True).decode()
        assert body.split("\r\n")[0] == f"Annual{separator}report"


@pytest.mark.parametrize("argument", ["mto", "mfrom"])
@pytest.mark.parametrize("name", [r'"=\?{}"', '"=?" "{}"', r"=\?{}"])
def test_a_name_that_only_mailhost_makes_an_encoded_word_begins_no_header(
    send_all, argument, name
):
    """It takes addresses apart, and writes them without the backslash or the quotes."""
    words = (encoded(value).removeprefix("=?") for value in DECODED)
    names = *(name.format(word) for word in words), "A"
    send_all(
        (modern(), {"mto": "to@x.org", argument: f"{each} <b@x.org>"}) for each in names
    )


def test_a_type_that_is_decoded_when_it_gets_a_charset_begins_no_header(
    host, mails, content_of
):
    """Once as it is read, and again as it is set."""
    for value in (*map(encoded, map(encoded, DECODED)), "a"):
        letter = f'Content-Type: text/plain; name="{value}"\n\nhi\n'.encode()
        with suppress(MailHostError):
            host.send(
                message_from_bytes(letter, policy=policy.default),
                "to@x.org",
                "from@x.org",
                charset="utf-8",
            )
    transaction.commit()
    assert mails()
    for mail in mails():
        assert is_whole(message_from_bytes(content_of(mail)))


@pytest.mark.parametrize("method", ["send", "_send"])
def test_a_long_header_of_a_signed_part_is_one_or_refused(
    host, mails, content_of, method
):
    """It is not folded anew there, as it would be elsewhere."""
    part = "X-A: a{}X-Evil: b" + LONG + "\n\nhi\n"
    text = f"Content-Type: multipart/signed; boundary=b\n\n--b\n{part}\n--b--\n"
    for separator in "\x0b\x0c\x1c -":
        letter = message_from_bytes(
            text.format(separator).encode(), policy=policy.default
        )
        arguments = [letter, ["to@x.org"], "from@x.org"]
        if method == "_send":
            arguments.reverse()
        with suppress(MailHostError):
            getattr(host, method)(*arguments)
    transaction.commit()
    assert mails()
    for mail in mails():
        assert message_from_bytes(content_of(mail)).get_payload(0).keys() == ["X-A"]
