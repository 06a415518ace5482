"""The envelope is what the caller meant, or the mail is refused."""

from __future__ import annotations

from datetime import datetime
from email import message_from_bytes
from email.message import EmailMessage
from email.mime.multipart import MIMEMultipart
from email.mime.text import MIMEText

import pytest
import transaction
from Products.MailHost import SendMailTag  # noqa: F401  registers <dtml-sendmail>
from Products.MailHost.MailHost import MailHostError


def test_envelope_and_message_are_those_of_mailhost(host, sent, content_of):
    host.send(
        "Subject: Grüße\n\nübermorgen\n",
        mto='"A, B" <a@example.org>, c@example.org',
        mfrom="Sender <s@example.org>",
        charset="utf-8",
    )
    message = sent()
    assert message.sender == "s@example.org"
    assert [r.address for r in message.recipients] == ["a@example.org", "c@example.org"]
    content = content_of(message)
    assert b"=C3=BCbermorgen" in content
    assert b'To: "A, B" <a@example.org>, c@example.org' in content
    assert b"Date: " in content
    assert message.subject == "Grüße"


@pytest.mark.parametrize("kind", [EmailMessage, lambda: MIMEText("hello")])
def test_message_objects_are_sent(host, sent, kind):
    mail = kind()
    mail["To"] = "to@example.org"
    mail["Cc"] = "copy@example.org"
    mail["From"] = "from@example.org"
    mail["Bcc"] = "hidden@example.org"
    host.send(mail)
    addresses = [r.address for r in sent().recipients]
    assert addresses == [mail["To"], mail["Cc"], mail["Bcc"]]


def test_each_header_of_recipients_counts_folded_or_not(host, sent):
    host.send("To: a@x.org,\n b@x.org\nTo: c@x.org\nFrom: f@x.org\n\nhi\n")
    assert [r.address[0] for r in sent().recipients] == ["a", "b", "c"]


@pytest.mark.parametrize(
    "subject",
    [
        "hello\nBcc: c@d.org",
        "hello\rBcc: c@d.org",
        "hello\r\nBcc: c@d.org",
        b"hello\nBcc: c@d.org",
        "hello\n",
        "hello\0",
    ],
)
def test_a_subject_of_two_headers_is_refused(host, refused, subject):
    with refused("line break or NUL in the subject"):
        host.send("hi", "to@example.org", "from@example.org", subject)


@pytest.mark.parametrize("value", ["a\nBcc: c@d.org", "a\rb", "a\r\n\r\nbody", "a\0"])
@pytest.mark.parametrize("method", ["send", "_send"])
def test_a_header_of_a_message_object_that_is_two_is_refused(
    host, refused, value, method
):
    mail = MIMEText("hello")
    mail["Subject"] = value
    arguments = [mail, "to@example.org", "from@example.org"]
    if method == "_send":
        arguments.reverse()
    with refused("line break or NUL in the header 'Subject"):
        getattr(host, method)(*arguments)


def test_a_header_of_a_part_that_is_two_is_refused(host, refused):
    mail, part = MIMEMultipart(), MIMEText("hello")
    part["Content-Description"] = "a\n\nbody"
    mail.attach(part)
    with refused("line break or NUL in the header"):
        host.send(mail, "to@example.org", "from@example.org")


def test_a_header_s_name_that_is_two_headers_is_refused(host, refused):
    mail = MIMEText("hello")
    # As `mail[name] = value` did before Python 3.14, which refuses such a name itself.
    mail._headers.append(("X: a\nBcc", "c@d.org"))
    with refused("line break or NUL in the name of a header"):
        host.send(mail, "to@example.org", "from@example.org")


@pytest.mark.parametrize("kind", [str, str.encode])
@pytest.mark.parametrize(
    ("value", "reason"),
    [("a\0b", "NUL in the headers"), ("a\rReply-To: c@d.org", "a CR without LF")],
)
def test_a_header_of_a_text_that_is_two_is_refused(host, refused, kind, value, reason):
    text = kind(f"X-Token: {value}\n\nhi")
    with refused(reason):
        host.send(text, "to@example.org", "from@example.org")


def test_a_message_id_of_any_form_is_left_alone(host, sent, content_of):
    host.send("Message-Id: my own\n\nhi", "to@example.org", "from@example.org")
    content = content_of(sent())
    assert b"Message-Id: my own" in content
    assert content.lower().count(b"message-id:") == 1


def test_folded_arguments_are_one_line_each(host, sent):
    host.send(
        "hi",
        mto="one@example.org,\r\n two@example.org",
        mfrom="A Very Long Name\n <from@example.org>",
        subject="hello\n there",
    )
    message = sent()
    assert len(message.recipients) == 2
    assert message.sender == "from@example.org"
    assert message.subject == "hello there"


def test_the_members_of_a_group_are_recipients(host, sent):
    to = 'z@[IPv6:::1], All (and: us;): a@x.org, "B; C" <b@x.org>;, d@x.org'
    host.send(f"To: {to}, F: e@x.org;f@x.org\nFrom: f@example.org\n\nhi\n")
    expected = ["z@[IPv6:::1]", *(f"{name}@x.org" for name in "abdef")]
    assert [r.address for r in sent().recipients] == expected


def test_an_empty_group_beside_hidden_recipients_is_no_recipient(host, sent):
    host.send(
        "To: undisclosed-recipients:;\nBcc: b@example.org\nFrom: f@example.org\n\nhi\n"
    )
    assert [r.address for r in sent().recipients] == ["b@example.org"]


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        ({"mto": "a@b\r\nRCPT TO:<c@d>"}, "line break"),
        ({"mto": ["a@b.org", "c@d.org\0"]}, "control character"),
        ({"mto": "no address at all"}, "blank"),
        ({"mto": "a@example.org, b@example.org <oops"}, "bracket"),
        ({"mto": "a@example.org; b@example.org"}, "semicolon"),
        ({"mto": "All: a@example.org B: b@example.org;"}, "semicolon"),
        ({"mto": []}, "recipient"),
        ({"mfrom": "a@b.org\nBcc: c@d.org"}, "line break"),
        ({"mfrom": "a@b.org\0"}, "control character in 'a@b.org"),
        ({"mfrom": "A\rBcc: c@d.org <a@b.org>"}, "line break"),
        ({"mto": "A\nBcc: c@d.org <a@b.org>"}, "line break"),
        ({"mto": "a@b.org\n"}, "line break"),
        ({"mto": ["a@b.org", "c@d.org\r\n"]}, "line break"),
        ({"mfrom": "a@b.org\r\n"}, "line break"),
        ({"mfrom": "\na@b.org"}, "line break"),
        ({"mto": 5}, "the recipients are 5, not an address"),
        ({"mto": ["a@b.org", None]}, "a recipient is None, not an address"),
        ({"mto": ["a@b.org", 5]}, "a recipient is 5, not an address"),
        ({"mto": "nü@b.org"}, "beyond ASCII, and MailHost writes addresses in ASCII"),
        ({"mfrom": "nü@b.org"}, "beyond ASCII, and MailHost writes addresses in ASCII"),
        ({"encode": "7bit\nBcc: c@d.org"}, "line break or NUL in the encode"),
        ({"msg_type": "text/html\nBcc: c@d.org"}, "line break or NUL in the msg_type"),
        ({"charset": "utf-8\nBcc: c@d.org"}, "line break or NUL in the charset"),
        ({"lane": "bulk\nBcc: c@d.org"}, "interactive, normal, bulk"),
        ({"msg_type": "html"}, "'html' is no type such as text/plain"),
        ({"charset": "no-such-charset"}, "cannot be written"),
        ({"mfrom": "two@example.org, senders@example.org"}, "sender"),
        ({"lane": "express"}, "interactive, normal, bulk"),
        ({"deliver_at": datetime(2030, 1, 1)}, "time zone"),
    ],
)
def test_mail_that_no_relay_could_take_is_refused(host, send, refused, options, reason):
    with refused(reason):
        send(host, **options)


@pytest.mark.parametrize("opening", ['"', "("])
def test_an_unclosed_quote_or_bracket_is_looked_through_once(host, mails, opening):
    """Looked for anew from every bracket within, the end of this takes hours."""
    text = f"a@x.org; {opening}" + f"\\{opening}" * 1_000_000
    with pytest.raises(MailHostError, match=r"unbalanced .*bracket"):
        host.send("text", text, "b@x.org")
    assert mails() == []


@pytest.mark.parametrize("kind", [list, tuple, iter])
def test_several_recipients_may_be_given_in_any_way(host, sent, kind):
    host.send("Subject: s\n\nhi", kind(["a@b.org", b"c@d.org"]), "from@example.org")
    assert [r.address for r in sent().recipients] == ["a@b.org", "c@d.org"]


@pytest.mark.parametrize(
    ("charset", "subject"),
    # Without a charset MailHost writes no subject beyond ASCII, text or octets.
    [(None, "hello"), ("utf-8", "Grüße"), ("iso-8859-1", "Grüße")],
)
def test_octets_are_read_as_the_charset_tells(
    host, mails, content_of, charset, subject
):
    text, sender, octets, one, two = (
        value.encode(charset or "utf-8")
        for value in (
            *("übermorgen", "Müller <from@example.org>", subject),
            *("Jörg <one@x.org>, second@x.org", "Özge <two@x.org>"),
        )
    )
    for to in (one, [one, two]):
        host.send(text, to, sender, octets, charset=charset, msg_type=b"text/plain")
    transaction.commit()
    message, several = mails()
    addresses = [r.address for r in message.recipients]
    assert addresses == ["one@x.org", "second@x.org"]
    assert [r.address for r in several.recipients] == [*addresses, "two@x.org"]
    assert message.sender == "from@example.org"
    assert message.subject == subject
    mail = message_from_bytes(content_of(message))
    assert mail.get_payload(decode=True).decode(charset or "utf-8") == "übermorgen"


@pytest.mark.parametrize("charset", [None, "ascii", "no-such-charset"])
@pytest.mark.parametrize("unread", ["message", "recipient", "sender", "subject"])
def test_octets_that_cannot_be_read_are_refused(host, refused, unread, charset):
    given = {
        "message": "hi",
        "recipient": "to@example.org",
        "sender": "from@example.org",
        "subject": "hello",
    }
    given[unread] = given[unread].encode() + b"\xff"
    with refused(f"the {unread} cannot be read"):
        host.send(*given.values(), charset=charset)


@pytest.mark.parametrize("method", ["send", "_send"])
def test_one_of_several_recipients_that_cannot_be_read_is_refused(
    host, refused, method
):
    arguments = ["hi", ["to@example.org", b"\xff@example.org"], "from@example.org"]
    if method == "_send":
        arguments.reverse()
    with refused("the recipient cannot be read"):
        getattr(host, method)(*arguments)


@pytest.mark.parametrize("place", range(3), ids=["mto", "mfrom", "subject"])
@pytest.mark.parametrize(
    "bad", ["\nBcc: evil@x.org", "\r\n\r\nbody", "\rx: y", "\0", "\n"]
)
def test_a_simple_mail_has_one_header_of_each(host, refused, place, bad):
    arguments = ["to@example.org", "from@example.org", "hello"]
    arguments[place] += bad
    with refused("line break or NUL in the"):
        host.simple_send(*arguments, "hi")


@pytest.mark.parametrize("nobody", [None, "", []])
def test_a_simple_mail_needs_a_recipient(host, refused, nobody):
    with refused("no recipient"):
        host.simple_send(nobody, "from@example.org", "hello", "hi")


def test_a_simple_mail_of_octets_is_that_of_their_text(host, sent, content_of):
    host.simple_send(b"to@example.org", b"from@example.org", b"hello", b"hi there")
    message = sent()
    assert [r.address for r in message.recipients] == ["to@example.org"]
    assert (message.sender, message.subject) == ("from@example.org", "hello")
    assert content_of(message).endswith(b"\r\n\r\nhi there")


@pytest.mark.parametrize("place", range(4), ids=["mto", "mfrom", "subject", "body"])
def test_a_simple_mail_of_octets_that_cannot_be_read_is_refused(host, refused, place):
    arguments = ["to@example.org", "from@example.org", "hello", "hi"]
    arguments[place] = b"\xff"
    with refused("cannot be read"):
        host.simple_send(*arguments)
