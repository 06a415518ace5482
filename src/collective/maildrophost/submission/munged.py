"""The octets that MailHost writes of a message with its arguments."""

# MailHost copies the message in depth and folds every header anew: a page pays more for
# that than for everything else, the disk included (measured). Most mail needs none of
# it and is written here; all other mail goes to MailHost. Its octets are the measure:
# the tests prove with messages of all kinds that ours are the same.

from __future__ import annotations

import re
import time
from copy import deepcopy
from email.errors import MessageError
from email.header import Header
from email.message import Message
from email.parser import Parser
from email.policy import EmailPolicy, Policy
from email.utils import formataddr, getaddresses
from functools import lru_cache
from typing import Any

from DateTime import DateTime
from Products.MailHost.MailHost import (
    CHARSET_RE,
    MailHostError,
    _encode_address_string,
    _mungeHeaders,
    _set_recursive_charset,
    message_from_string,
)

from collective.maildrophost.refusal import refused
from collective.maildrophost.submission import asciidomains
from collective.maildrophost.submission.flattening import (
    LINE_CHARACTERS,
    Unusual,
    copied,
    flattened,
    header,
    is_modern,
    kind_of,
    new_header,
)
from collective.maildrophost.submission.guarded import guarded
from collective.maildrophost.submission.quotedprintable import QuickCharset

# An address that fits on one line with its header's name (RFC 5322 section 2.1.1).
_PLAIN = re.compile(
    r"(?=.{3,64}\Z)[A-Za-z0-9_+-]+(?:\.[A-Za-z0-9_+-]+)*@[A-Za-z0-9.-]+"
)
# What the email package takes for headers, apart from its exceptions below.
_HEAD = re.compile(r"(?:[!-9;-~]+:[^\n]*(?:\n|\Z)(?:[ \t][^\n]*(?:\n|\Z))*)*")
_EXCEPTIONS = (" ", "\t", ":", "From ")
_TEXT_POLICY = message_from_string("").policy.clone(message_factory=None)
"""Without MailHost's own class, which differs only in writing what is beyond ASCII."""
_LIKE_ASCII = {"us-ascii", "utf-8", "iso-8859-1", "iso-8859-15", "windows-1252"}
_REMEMBERED_CHARACTERS = 100_000
_latest: tuple[tuple[str, ...], Any] = (), None
"""The last text with its charset, and what `_read` made of it, which nobody changes."""
_UNWRITABLE = MessageError, ValueError, RecursionError
_MISTAKEN = LookupError, TypeError, AttributeError, UnboundLocalError


def munged(
    message: Any,
    mto: Any,
    mfrom: Any,
    subject: Any = None,
    charset: Any = None,
    msg_type: Any = None,
    encode: Any = None,
) -> tuple[bytes, Any]:
    """The octets that MailHost writes, and the sender.

    Raises MailHostError when the message can't be written; MailRefused when that is due
    to what is in it, and not to the call.
    """
    try:
        message = asciidomains.in_message(message)
        mto, mfrom = asciidomains.in_addresses(mto), asciidomains.in_addresses(mfrom)
        return _munged(message, mto, mfrom, subject, charset, msg_type, encode)
    except _UNWRITABLE as error:
        reason = _reason(error, msg_type)
        raise refused(f"the message cannot be written: {reason}") from error
    except _MISTAKEN as error:
        raise MailHostError(f"the message cannot be written: {error}") from error


def _reason(error: Exception, msg_type: Any) -> str:
    text = error.object if isinstance(error, UnicodeEncodeError) else ""
    # An address on its way into a header, not the text of a mail.
    if "@" in text and not any(map(str.isspace, text)):
        return f"{text!a} is beyond ASCII, and MailHost writes addresses in ASCII only"
    # The email package has no words for a type without a slash.
    return str(error) or f"{msg_type!r} is no type such as text/plain"


def _munged(
    message: Any,
    mto: Any,
    mfrom: Any,
    subject: Any,
    charset: Any,
    msg_type: Any = None,
    encode: Any = None,
) -> tuple[bytes, Any]:
    try:
        if encode or not _are_given(mto, mfrom, subject):
            raise Unusual
        return _written(message, mto, mfrom, subject, charset, msg_type), mfrom
    except Exception:  # What MailHost makes of the message is what counts.
        if subject and is_modern(message):
            message, subject = _with_subject(message, subject), None
        content, _, sender = _mungeHeaders(
            guarded(message), mto, mfrom, subject, charset, msg_type, encode
        )
        return content, sender


def _are_given(mto: Any, mfrom: Any, subject: Any) -> bool:
    """Whether nothing has to be taken from the message's headers."""
    return (
        isinstance(mto, (str, list))
        and bool(mto)
        and isinstance(mfrom, str)
        and mfrom != ""
        # A Header object may have octets that its text does not tell.
        and (subject is None or type(subject) is str)
    )


def _written(
    given: Any,
    mto: str | list[str],
    mfrom: str,
    subject: str | None,
    charset: Any,
    msg_type: Any,
) -> bytes:
    message = given
    if subject or charset or not _tells_charsets(given):
        message, charset = _read_once(given, charset, msg_type)
    if isinstance(given, str) and not _is_like_ascii(message):
        raise Unusual
    left_out, added = _headers(message, mto, mfrom, subject, charset)
    return flattened(message, message.policy, left_out, added)


def _read_once(given: Any, charset: Any, msg_type: Any) -> tuple[Message, Any]:
    """What `_read` returns, once for all mails of a newsletter with the same text."""
    global _latest
    plain = type(given) is str and type(charset) is str and not msg_type
    if not plain or len(given) > _REMEMBERED_CHARACTERS:
        return _read(given, charset, msg_type)
    # Only the last is kept: comparing costs nothing, a lookup a tenth of reading it.
    remembered, found = _latest
    if remembered != (given, charset):
        found = _read(given, charset, msg_type)
        _latest = (given, charset), found
    return found


def _read(given: Any, charset: Any, msg_type: Any) -> tuple[Message, Any]:
    """The message with its texts encoded, and the charset of its headers."""
    message = copied(given) if isinstance(given, Message) else _parsed(given)
    if msg_type and not message.get("Content-Type"):
        message.set_type(msg_type)
    return message, _set_charsets(message, charset)


def _set_charsets(message: Message, charset: Any) -> Any:
    """Encode its texts as MailHost does; returns the charset of its headers."""
    quick = QuickCharset(charset) if charset and type(charset) is str else charset
    # A part without a charset gets that of another part.
    found = _set_recursive_charset(message, charset=quick)
    return charset or found


def _headers(
    message: Message,
    mto: str | list[str],
    mfrom: str,
    subject: str | None,
    charset: Any,
) -> tuple[set[str], list[bytes]]:
    """The names of the headers to leave out, in lower case, and the lines to add."""
    policy = message.policy
    if policy.max_line_length != LINE_CHARACTERS:
        raise Unusual  # `_PLAIN` counts on this length.
    left_out, added = {"to", "from"}, []
    if subject:
        left_out.add("subject")
        added.append(_subject(policy, subject, charset))
    elif not message.get("Subject"):
        _check_absent(message, "Subject")
        added.append(header(policy, "Subject", "[No Subject]"))
    added.append(_recipients(policy, mto, charset))
    added.append(_sender(policy, mfrom, charset))
    if message.get("Bcc"):
        left_out.add("bcc")
    if not message.get("Date"):
        _check_absent(message, "Date")
        added.append(_date(policy, int(time.time())))
    return left_out, added


def _tells_charsets(message: Any) -> bool:
    """Whether MailHost would give none of its parts a charset, or a type."""
    return isinstance(message, Message) and all(
        part.is_multipart() or CHARSET_RE.search(part["Content-Type"] or "")
        for part in message.walk()
    )


def _parsed(text: Any) -> Message:
    """What the email package makes of a text, without reading each line of the body."""
    if type(text) is not str or "\r" in text:
        raise Unusual
    head = _HEAD.match(text)
    assert head is not None
    if text.startswith(_EXCEPTIONS, head.end()):
        raise Unusual
    parser = Parser(policy=_TEXT_POLICY)
    message = parser.parsestr(head[0]) if head[0] else Message(_TEXT_POLICY)
    message.set_payload(text[head.end() :].removeprefix("\n"))
    return message


def _with_subject(message: Message, subject: str) -> Message:
    # MailHost sets a Header object, which messages of this kind do not take.
    twin = deepcopy(message)
    del twin["Subject"]
    twin["Subject"] = subject
    return twin


def _is_like_ascii(message: Message) -> bool:
    charset = kind_of(message).charset
    return isinstance(charset, str) and charset.lower() in _LIKE_ASCII


def _check_absent(message: Message, name: str) -> None:
    # It may be there and empty: modern messages refuse a second one.
    if is_modern(message) and name in message:
        raise Unusual


def _recipients(policy: Policy, mto: str | list[str], charset: Any) -> bytes:
    if isinstance(mto, str):
        if _PLAIN.fullmatch(mto):
            return f"To: {mto}{policy.linesep}".encode("ascii")
        mto = [formataddr(each) for each in getaddresses((mto,))]
    addresses = [str(_encode_address_string(each, charset)) for each in mto]
    return new_header(policy, "To", ", ".join(addresses))


@lru_cache(maxsize=64)
def _sender(policy: Policy, mfrom: str, charset: str | None) -> bytes:
    return new_header(policy, "From", _encode_address_string(mfrom, charset))


@lru_cache(maxsize=64)
def _subject(policy: Policy, subject: str, charset: str | None) -> bytes:
    modern = isinstance(policy, EmailPolicy)
    value = subject if modern else Header(subject, charset, errors="replace")
    return new_header(policy, "Subject", value)


@lru_cache(maxsize=8)
def _date(policy: Policy, second: int) -> bytes:
    return new_header(policy, "Date", DateTime(second).rfc822())
