"""The envelope that a caller of MailHost means, checked before MailHost repairs it.

MailHost reads addresses with email.utils.getaddresses, which joins or drops what it
does not understand: mail would go to somebody else, or not to everybody.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from email.errors import HeaderParseError
from email.header import Header
from email.headerregistry import Address
from email.message import Message as EmailMessage
from email.parser import HeaderParser
from email.policy import Policy
from typing import Any

from collective.maildrophost.engine.message import (
    InvalidMessage,
    headers,
    parse_addresses,
)
from collective.maildrophost.submission.flattening import is_modern

_AS_IT_IS = ("utf-8", "surrogatepass")
RECIPIENT_HEADERS = ("To", "Cc", "Bcc")

_FOLD = re.compile(r"\r?\n(?=[ \t])")  # RFC 5322 section 2.2.3
_LINE_BREAKS = re.compile(r"[\r\n\0]")
_ENCODED_WORD = "=?"
_NEXT_HEADER = re.compile(rb"\n[^ \t]|\r(?!\n)|\0")
_PARTS = re.compile(
    r"""
    "(?:[^"\\]|\\.)*" | <[^<>]*> | \((?:[^()\\]|\\.)*\) | \[[^\[\]]*\] | .
""",
    re.VERBOSE | re.DOTALL,
)


def listed(mto: Any, charset: str | None = None) -> Any:
    """`mto` as MailHost takes it: one text, or a list of them, or nothing.

    Raises InvalidMessage for what can be no address.
    """
    if not mto or isinstance(mto, (str, bytes, Header)):
        return mto
    if not isinstance(mto, Iterable):
        raise InvalidMessage(f"the recipients are {mto!r}, not an address or several")
    return [_recipient(each, charset) for each in mto]


def _recipient(value: Any, charset: str | None) -> Any:
    if isinstance(value, bytes):
        return unfolded(value, charset)
    if isinstance(value, (str, Header, Address)):
        return value
    raise InvalidMessage(f"a recipient is {value!r}, not an address")


def recipients(message: Any, mto: Any, charset: str | None) -> list[str]:
    """The bare addresses of `mto`; without it, those of To, Cc and Bcc.

    Raises InvalidMessage. An empty list means that there is none.
    """
    values = _each(listed(mto, charset)) if mto else _headers(message, charset)
    return [
        address for value in values for address in _addresses(unfolded(value, charset))
    ]


def unfolded(value: Any, charset: str | None = None) -> str:
    """The value of a header, or an argument that was one, as one line."""
    text = value.decode(charset or "utf-8") if isinstance(value, bytes) else str(value)
    # A line break at either end is no fold: nobody could tell what was to follow it.
    return _FOLD.sub("", text.strip(" \t"))


def check_one_line(name: str, value: Any, charset: str | None = None) -> None:
    """Raise InvalidMessage when a header argument would become several headers."""
    if isinstance(value, str) and value.isprintable():
        return
    if value and _LINE_BREAKS.search(unfolded(value, charset)):
        raise InvalidMessage(f"line break or NUL in the {name}")


def check_headers(message: Any) -> None:
    """Raise InvalidMessage when a header of the message would become several.

    MailHost takes a bare CR in a text for a line break, and older releases of Python
    write a message object's header as it stands.
    """
    if isinstance(message, EmailMessage):
        for part in message.walk():
            for name, value in part.raw_items():
                check_one_line("name of a header", name)
                if not _is_plain(value):
                    _check_folded(message.policy, name, value)
    elif isinstance(message, (str, bytes)):
        text = message if isinstance(message, bytes) else message.encode(*_AS_IT_IS)
        headers.check_headers(text, headers.header_block_end(text))


def content(message: Any) -> bytes | str:
    """What is to be queued of a message that MailHost has written, or an add-on."""
    if not isinstance(message, EmailMessage):
        return message
    check_headers(message)
    return message.as_bytes()


def check_new_headers(message: Any, mto: Any, mfrom: Any, subject: Any) -> None:
    """Raise InvalidMessage when encoded words would make several headers of one.

    Messages of the email package's newer kind decode what they are given, and releases
    of Python before 3.13 write what they find as it is.
    """
    if is_modern(message):
        values = [("Subject", subject), ("From", mfrom)]
        values += [("To", address) for address in _each(mto or ())]
        for name, value in values:
            if isinstance(value, str) and not _is_plain(value):
                _check_decoded(message.policy, name, value)


def _check_decoded(policy: Policy, name: str, value: str) -> None:
    try:
        _, decoded = policy.header_store_parse(name, value)
    except ValueError as error:
        raise InvalidMessage(f"the {name} cannot be written: {error}") from error
    _check_folded(policy, name, decoded)


def _check_folded(policy: Policy, name: str, value: Any) -> None:
    # Only what is written tells: a blank line may come of a line break at either end.
    try:
        several = _NEXT_HEADER.search(policy.fold_binary(name, value)) is not None
    except HeaderParseError:
        several = True
    except Exception:
        return  # The package says so again when it is to be written.
    if several:
        raise InvalidMessage(f"line break or NUL in the header {name!a}")


def _is_plain(value: Any) -> bool:
    text = str(value) if isinstance(value, (str, Header)) else "\n"
    return text.isprintable() and _ENCODED_WORD not in text


def _each(mto: Any) -> Iterable[Any]:
    return (mto,) if isinstance(mto, (str, bytes, Header)) else mto


def _headers(message: Any, charset: str | None) -> list[Any]:
    if isinstance(message, bytes):
        message = message.decode(charset or "utf-8", "replace")
    if not isinstance(message, EmailMessage):
        message = HeaderParser().parsestr(str(message))
    return [
        value for name in RECIPIENT_HEADERS for value in message.get_all(name) or ()
    ]


def _addresses(text: str) -> list[str]:
    flat = _without_groups(text)
    return list(parse_addresses(flat)) if flat.strip(", \t") else []


def _without_groups(text: str) -> str:
    """The members of groups as plain items of the list (RFC 5322 section 3.4)."""
    if ";" not in text:
        return text
    parts: list[str] = []
    in_group = False
    for part in _PARTS.findall(text):
        if part == ":" and not in_group:
            in_group = True
            _drop_group_name(parts)
        elif part == ";" and in_group:
            in_group = False
            parts.append(",")
        else:
            parts.append(part)
    return "".join(parts)


def _drop_group_name(parts: list[str]) -> None:
    while parts and parts[-1] != ",":
        parts.pop()
