"""What the mail system itself writes: headers, sender, encoding."""

from __future__ import annotations

from email import policy
from email.generator import BytesGenerator
from email.message import Message as Part
from io import BytesIO

from ...message import Lane, Message
from ...oneline import printable
from ...smtp.needs import has_long_line
from ...smtp.transferencoding import as_quoted_printable
from .fields import field_date

_UNFOLDED = policy.compat32.clone(max_line_length=0)


def notification(
    body: Part,
    lane: Lane,
    *,
    to: str,
    subject: str,
    auto_submitted: str,
    message_id: str,
    host: str,
    now: float,
    about: str = "",
) -> Message:
    """One for the queue, from the null sender: so nobody ever answers it.

    `auto_submitted` is a keyword of RFC 3834 section 5; `about` is the Message-Id that
    it answers, or "".
    """
    for name, value in (
        ("From", f"Mail Delivery System <MAILER-DAEMON@{host}>"),
        ("To", _as_raw_octets(f"<{to}>")),
        ("Subject", subject),
        ("Date", field_date(now)),
        ("Message-Id", message_id),
        *((name, about) for name in ("In-Reply-To", "References") if about),
        ("Auto-Submitted", auto_submitted),
        ("MIME-Version", "1.0"),
    ):
        body[name] = value
    written = BytesIO()
    BytesGenerator(written, mangle_from_=False, policy=_UNFOLDED).flatten(body)
    return Message(
        sender="",
        recipients=(to,),
        content=written.getvalue(),
        lane=lane,
        due=None,
        subject=subject,
        message_id=message_id,
    )


def part(content_type: str) -> Part:
    """An empty part of a notification."""
    made = Part()
    made["Content-Type"] = content_type
    return made


def text_part(content_type: str, text: bytes) -> Part:
    """A part with any text: as it is where possible, else quoted-printable.

    What was written by strangers can't end its part: the generator picks a boundary
    that is not in it.
    """
    made = part(content_type)
    # A lone CR would become a line end on the wire.
    text = text.replace(b"\r\n", b"\n").replace(b"\r", b"?")
    encoding = "7bit" if _is_plain(text) else "quoted-printable"
    made["Content-Transfer-Encoding"] = encoding
    encoded = text if encoding == "7bit" else as_quoted_printable(text)
    made.set_payload(encoded.decode("ascii"))
    return made


def _is_plain(text: bytes) -> bool:
    return text.isascii() and b"\0" not in text and not has_long_line(text)


def _as_raw_octets(text: str) -> str:
    # An address beyond ASCII is written as it is (RFC 6532): only a relay that takes
    # such headers takes such a recipient. The email package turns surrogates into
    # octets, anything else into encoded words.
    return printable(text).encode().decode("ascii", "surrogateescape")
