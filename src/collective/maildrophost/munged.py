"""The bytes that MailHost writes of a message with its arguments."""

# MailHost copies the message in depth, parses its addresses once more, and has every
# header folded anew: more than all else that a page pays, the disk included (measured).
# A message of one part to one plain address, which most mail is, needs none of that.
# Everything else goes to MailHost, and so do the decisions: this writes the same bytes
# as it does, which the tests prove with messages of all kinds.

from __future__ import annotations

import re
import time
from email.errors import MessageError
from email.header import Header
from email.message import Message
from email.mime.text import MIMEText
from email.policy import compat32
from functools import lru_cache
from typing import Any

from DateTime import DateTime
from Products.MailHost.MailHost import (
    CHARSET_RE,
    MailHostError,
    _encode_address_string,
    _mungeHeaders,
)

_KNOWN_CLASSES = (Message, MIMEText)
# No longer than what stays on one line behind its name (RFC 5322 section 2.1.1).
_PLAIN = re.compile(
    r"(?=.{3,64}\Z)[A-Za-z0-9_+-]+(?:\.[A-Za-z0-9_+-]+)*@[A-Za-z0-9.-]+"
)
_LINE_BREAK = re.compile(r"\r\n?")
_REMEMBERED_CHARACTERS = 200


def munged(
    message: Any,
    mto: Any,
    mfrom: Any,
    subject: Any = None,
    charset: Any = None,
    msg_type: Any = None,
    encode: Any = None,
) -> tuple[bytes, Any]:
    """The content, and the sender; MailHostError when the message can't be written."""
    try:
        return _munged(message, mto, mfrom, subject, charset, msg_type, encode)
    except (MessageError, UnicodeError, LookupError) as error:
        raise MailHostError(f"the message cannot be written: {error}") from error


def _munged(
    message: Any,
    mto: Any,
    mfrom: Any,
    subject: Any,
    charset: Any,
    msg_type: Any = None,
    encode: Any = None,
) -> tuple[bytes, Any]:
    if not (msg_type or encode) and _is_plain(message, mto, mfrom, subject):
        content_type = CHARSET_RE.search(message["Content-Type"] or "")
        # MailHost would encode the text, or use what the message says of itself.
        if content_type or not charset:
            charset = charset or (content_type and content_type[1])
            return _written(message, mto, mfrom, subject, charset), mfrom
    content, _, sender = _mungeHeaders(
        message, mto, mfrom, subject, charset, msg_type, encode
    )
    return content, sender


def _is_plain(message: Any, mto: Any, mfrom: Any, subject: Any) -> bool:
    return (
        type(message) in _KNOWN_CLASSES
        and message.policy is compat32
        and isinstance(message._payload, str)
        and message._payload.isascii()
        and message.get_content_maintype() == "text"
        and isinstance(mto, str)
        and _PLAIN.fullmatch(mto) is not None
        and isinstance(mfrom, str)
        and mfrom != ""
        and (subject is None or isinstance(subject, str))
    )


def _written(
    message: Message, mto: str, mfrom: str, subject: str | None, charset: str | None
) -> bytes:
    items = [(name.lower(), name, value) for name, value in message.raw_items()]
    first = {name: value for name, _, value in reversed(items)}
    replaced = {"to", "from"}
    if subject:
        replaced.add("subject")
    if first.get("bcc"):
        replaced.add("bcc")
    fields = [_field(*item) for name, *item in items if name not in replaced]
    if subject:
        fields.append(_subject(subject, charset))
    elif not first.get("subject"):
        fields.append(b"Subject: [No Subject]\n")
    fields.append(b"To: %b\n" % mto.encode("ascii"))
    fields.append(_sender(mfrom, charset))
    if not first.get("date"):
        fields.append(_date(int(time.time())))
    body = message._payload
    if "\r" in body:
        body = _LINE_BREAK.sub("\n", body)
    return b"".join((*fields, b"\n", body.encode("ascii")))


def _field(name: str, value: Any) -> bytes:
    if isinstance(value, str) and len(value) <= _REMEMBERED_CHARACTERS:
        return _remembered_field(name, value)
    return _new_field(name, value)


def _new_field(name: str, value: Any) -> bytes:
    alone = Message()
    alone[name] = value
    return alone.as_bytes()[:-1]  # without the empty line behind all headers


# The same again and again, in every mail of a newsletter.
_remembered_field = lru_cache(maxsize=256)(_new_field)


@lru_cache(maxsize=64)
def _sender(mfrom: str, charset: str | None) -> bytes:
    return _new_field("From", _encode_address_string(mfrom, charset))


@lru_cache(maxsize=64)
def _subject(subject: str, charset: str | None) -> bytes:
    return _new_field("Subject", Header(subject, charset, errors="replace"))


@lru_cache(maxsize=1)
def _date(second: int) -> bytes:
    return b"Date: %b\n" % DateTime(second).rfc822().encode("ascii")
