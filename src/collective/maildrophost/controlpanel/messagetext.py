"""What a person reads of a message: its headers and its text, as plain text."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from email import policy
from email.errors import MessageError
from email.message import EmailMessage
from email.parser import BytesParser

from collective.maildrophost.engine.message.headers import display_text

SHOWN_OCTETS = 256 * 1024
"""What is parsed of a message: a person reads its beginning, attachments come last."""
_UNREADABLE = (LookupError, ValueError, TypeError, MessageError)
"""What the email package raises for charsets and parameters that it cannot read."""
LONGEST_HEADER = 2000
MOST_HEADERS = 200


@dataclass(frozen=True)
class Attachment:
    """A part that is not shown."""

    name: str
    kind: str


@dataclass(frozen=True)
class MessageText:
    """Headers as pairs, decoded; `is_html`: the text is the source of an HTML part.

    `is_cut`: the message goes on beyond what is shown.
    """

    headers: tuple[tuple[str, str], ...]
    text: str
    is_html: bool
    attachments: tuple[Attachment, ...]
    is_cut: bool


def message_text(content: bytes) -> MessageText:
    """The readable beginning of `content`; never raises, whatever is in it."""
    message, parts = _parsed(content[:SHOWN_OCTETS])
    shown = _shown(parts)
    return MessageText(
        headers=tuple(_headers(message)),
        text=_text(shown) if shown is not None else "",
        is_html=shown is not None and shown.get_content_type() == "text/html",
        attachments=tuple(
            Attachment(_name(part), part.get_content_type())
            for part in parts
            if part is not shown
        ),
        is_cut=len(content) > SHOWN_OCTETS,
    )


def _parsed(content: bytes) -> tuple[EmailMessage, list[EmailMessage]]:
    """The message, and those of its parts that contain no others."""
    # compat32 keeps headers as they came.
    parser = BytesParser(_class=EmailMessage, policy=policy.compat32)
    try:
        message = parser.parsebytes(content)
        return message, [part for part in message.walk() if not part.is_multipart()]
    except (RecursionError, *_UNREADABLE):
        # Hundreds of nested parts, or a boundary that cannot be read: nothing that
        # anybody has written to be read.
        return parser.parsebytes(content, headersonly=True), []


def _headers(message: EmailMessage) -> Iterator[tuple[str, str]]:
    for name, value in list(message.raw_items())[:MOST_HEADERS]:
        raw = str(value).encode("utf-8", "surrogateescape")
        yield name, display_text(raw, LONGEST_HEADER)


def _shown(parts: list[EmailMessage]) -> EmailMessage | None:
    """The first plain text, else the first HTML; nothing that is attached."""
    for kind in ("text/plain", "text/html"):
        for part in parts:
            attached = part.get_content_disposition() == "attachment"
            if part.get_content_type() == kind and not attached:
                return part
    return None


def _text(part: EmailMessage) -> str:
    data = part.get_payload(decode=True)
    if not isinstance(data, bytes):
        return ""
    try:
        return data.decode(part.get_content_charset() or "utf-8", "replace")
    except _UNREADABLE:
        return data.decode("latin-1")


def _name(part: EmailMessage) -> str:
    try:
        return part.get_filename() or ""
    except _UNREADABLE:
        return ""
