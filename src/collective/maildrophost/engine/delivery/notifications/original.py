"""What a notification needs of the message that it is about: its headers."""

from __future__ import annotations

import re

from ...message.headers import FieldFinder, display_text, header_block_end

MAX_SUBJECT_CHARACTERS = 200
"""Of the subject as it stands among a notification's own words."""
MAX_RETURNED_OCTETS = 64 * 1024
"""Of the headers, however many the message has."""

_AUTO_SUBMITTED, _SUBJECT = FieldFinder(b"auto-submitted"), FieldFinder(b"subject")
_NO = re.compile(rb"no(?![a-z0-9-])", re.IGNORECASE)


def is_automatic(content: bytes) -> bool:
    """Whether no person sent it: Auto-Submitted is there and not "no" (RFC 3834)."""
    return not all(_NO.match(value) for value in _values(content, _AUTO_SUBMITTED))


def subject(content: bytes) -> str:
    """The subject for people: decoded, one line without control characters."""
    values = _values(content, _SUBJECT)
    return display_text(values[0], MAX_SUBJECT_CHARACTERS) if values else ""


def _values(content: bytes, finder: FieldFinder) -> list[bytes]:
    return [each.value for each in finder.find(content, header_block_end(content))]


def headers(content: bytes) -> bytes:
    """The headers as they stand; cut behind a line if there are too many."""
    end = header_block_end(content)
    if end > MAX_RETURNED_OCTETS:
        end = content.rfind(b"\n", 0, MAX_RETURNED_OCTETS) + 1
    return content[:end]
