"""Letters of many kinds, for MailHost and for us to write, and what comes of each."""

from __future__ import annotations

import re
from email import message_from_bytes, message_from_string, policy
from email.errors import MessageError
from email.header import Header
from email.message import EmailMessage, Message
from email.mime.application import MIMEApplication
from email.mime.message import MIMEMessage
from email.mime.multipart import MIMEMultipart
from email.mime.text import MIMEText

from Products.MailHost.MailHost import MailHostError

DATE = "Tue, 24 Nov 2026 22:29:29 +0000"
MADE_UP = re.compile(rb"={15}\d{19}==")
"""A boundary that the email package makes up."""
MISTAKES = ValueError, LookupError, AttributeError, TypeError
"""What the email package raises for letters that make no sense."""


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


def alternatives():
    letter = MIMEMultipart("alternative")
    letter.attach(MIMEText("grün", "plain", "utf-8"))
    letter.attach(MIMEText("<p>no charset</p>", "html", "us-ascii"))
    del letter.get_payload()[1]["Content-Type"]
    return letter


def modern(subject="grün", date=DATE):
    letter = EmailMessage()
    letter["Date"] = date
    if subject is not None:
        letter["Subject"] = subject
    letter.set_content("grün")
    return letter


def modern_alternatives():
    letter = modern()
    letter.add_alternative("<p>grün</p>" * 99, subtype="html")
    letter.add_attachment(b"\0", maintype="image", subtype="png", filename="grün.png")
    return letter


def with_rules(rules):
    letter = Message(rules)
    letter["Date"] = DATE
    letter.set_payload("hello")
    return letter


def with_attachment(octets):
    letter = several_parts()
    letter.attach(message_from_bytes(octets))
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
    "alternatives": alternatives,
    "a message within": lambda: MIMEMessage(plain()),
    "a file": lambda: MIMEApplication(b"\0" * 99, "octet-stream"),
    "modern": modern,
    "modern without a subject": lambda: modern(subject=None),
    "modern with an empty subject": lambda: modern(subject=""),
    "modern with an empty date": lambda: modern(date=""),
    "modern alternatives": modern_alternatives,
    "modern, and read": lambda: message_from_string(
        f"Date: {DATE}\nBcc: c@x.org\nContent-Type: text/x; charset=ascii\n\nhello",
        policy=policy.default,
    ),
    "short lines": lambda: with_rules(policy.compat32.clone(max_line_length=9)),
    "octets in a type": lambda: with_attachment(
        b"Content-Type: text/plain; name=gr\xfcn\n\nx"
    ),
    "text": lambda: f"Date: {DATE}\nSubject: grün\n\ngrün\n",
    "text alone": lambda: "All work\nand no play.\n",
    "long text alone": lambda: "\nNo headers: none.\n" + "All work. " * 300,
    "text with a type": lambda: (
        f"Subject: hello\nDate: {DATE}\n"
        "Content-Type: text/plain; charset=iso-8859-15\n\ngrün\n"
    ),
    "text of two octets a character": lambda: (
        "Content-Type: text/plain; charset=utf-16\n\nx"
    ),
    "text with folded headers": lambda: f"X-Long: {'word ' * 60}\n one\n\ttwo\n\nx\n",
    "text with a header alone": lambda: "Subject: hello",
    "text with bad headers": lambda: "Subject: hello\nno header\nDate: x\n\nx",
    "text with parts": lambda: several_parts().as_string(),
    "text with an octet in its type": lambda: (
        "Content-Type: message/rfc822\n \udcfc\n\nx"
    ),
    "text with CR": lambda: "Subject: hello\r\nX: one\rtwo\r\n\r\nx\r\n",
    "text in its Bcc": lambda: "Bcc: c@x.org\nFrom: d@x.org\n\nx\n",
}
USUAL = [
    "plain",
    "quoted-printable",
    "html",
    "encoded words",
    "hidden",
    "several parts",
    "alternatives",
    "a file",
    "modern",
    "modern without a subject",
    "modern alternatives",
    "text alone",
    "long text alone",
    "text with folded headers",
    "text with a header alone",
]


def outcome(write, *arguments):
    """What is written and by whom, or the error; boundaries count as one."""
    try:
        content, *_, sender = write(*arguments)
    except (MailHostError, MessageError, *MISTAKES) as error:
        return type(error), str(error)
    return MADE_UP.sub(b"made up", content), sender
