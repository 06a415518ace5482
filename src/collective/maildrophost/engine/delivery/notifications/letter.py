"""A letter from the mail system: headers, sender, encoding."""

from __future__ import annotations

from dataclasses import dataclass
from email import policy
from email.generator import BytesGenerator
from email.message import Message as Part
from io import BytesIO

from ...message import Lane, Message
from ...smtp.needs import MAX_LINE_OCTETS
from ...smtp.transferencoding import as_quoted_printable
from .fields import field_date

_UNFOLDED = policy.compat32.clone(max_line_length=0)


@dataclass(frozen=True)
class Letter:
    """A letter's headers; `about` is the Message-Id that it answers, or "".

    `auto_submitted` is a keyword of RFC 3834 section 5.
    """

    to: str
    subject: str
    auto_submitted: str
    message_id: str
    about: str
    host: str
    now: float

    def message(self, body: Part, lane: Lane) -> Message:
        """The letter for the queue, from the null sender: so nobody ever answers it."""
        for name, value in self._headers():
            body[name] = value
        written = BytesIO()
        BytesGenerator(written, mangle_from_=False, policy=_UNFOLDED).flatten(body)
        return Message(
            sender="",
            recipients=(self.to,),
            content=written.getvalue(),
            lane=lane,
            due=None,
            subject=self.subject,
            message_id=self.message_id,
        )

    def _headers(self) -> list[tuple[str, str]]:
        answers = [("In-Reply-To", self.about), ("References", self.about)]
        return [
            ("From", f"Mail Delivery System <MAILER-DAEMON@{self.host}>"),
            ("To", _as_raw_octets(f"<{self.to}>")),
            ("Subject", self.subject),
            ("Date", field_date(self.now)),
            ("Message-Id", self.message_id),
            *(answers if self.about else []),
            ("Auto-Submitted", self.auto_submitted),
            ("MIME-Version", "1.0"),
        ]


def part(content_type: str) -> Part:
    """An empty part of a letter."""
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
    long = any(len(line) > MAX_LINE_OCTETS for line in text.split(b"\n"))
    return text.isascii() and b"\0" not in text and not long


def _as_raw_octets(text: str) -> str:
    # An address beyond ASCII is written as it is (RFC 6532): only a relay that takes
    # such headers takes such a recipient. The email package turns surrogates into
    # octets, anything else into encoded words.
    one_line = "".join(each if each.isprintable() else "?" for each in text)
    return one_line.encode().decode("ascii", "surrogateescape")
