"""The envelope that a caller of MailHost means, checked before MailHost repairs it.

MailHost reads addresses with email.utils.getaddresses, which joins or drops what it
does not understand: mail would go to somebody else, or not to everybody.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from email.header import Header
from email.headerregistry import Address
from email.message import Message as EmailMessage
from email.parser import HeaderParser
from typing import Any

from collective.maildrophost.engine.message import InvalidMessage, parse_addresses
from collective.maildrophost.submission.headers import as_text, one_line, unfolded

_RECIPIENT_HEADERS = ("To", "Cc", "Bcc")

# A quote or comment that is never closed goes on to the end of the text: to look for
# its end again from every quote in it would take minutes, in which Zope stands still.
# No group is repeated for each character, which takes 140 octets of memory for each.
_PARTS = re.compile(
    r"""
    "[^"\\]*(?:\\.[^"\\]*){0,1000}"? | <[^<>]*> | \[[^\[\]]*\]
    | \([^()\\]*(?:\\.[^()\\]*){0,1000}\)? | .
""",
    re.VERBOSE | re.DOTALL,
)


def sender(mfrom: Any, charset: str | None = None) -> Any:
    """`mfrom` as MailHost takes it: a text, or nothing.

    Raises InvalidMessage for what cannot be an address.
    """
    mfrom = _text("sender", mfrom, charset)
    if not mfrom or isinstance(mfrom, str):
        return mfrom
    raise InvalidMessage(f"the sender is {mfrom!r}, not an address")


def listed(mto: Any, charset: str | None = None) -> Any:
    """`mto` as MailHost takes it: one text, or a list of them, or nothing.

    Raises InvalidMessage for what cannot be an address.
    """
    mto = _text("recipient", mto, charset)
    if not mto or isinstance(mto, str):
        return mto
    if not isinstance(mto, Iterable):
        raise InvalidMessage(f"the recipients are {mto!r}, not an address or several")
    return [_recipient(each, charset) for each in mto]


def _recipient(value: Any, charset: str | None) -> str:
    value = _text("recipient", value, charset)
    if isinstance(value, str):
        return value
    raise InvalidMessage(f"a recipient is {value!r}, not an address")


def _text(name: str, value: Any, charset: str | None) -> Any:
    value = as_text(name, value, charset)
    # MailHost gives objects to email.utils, which finds no address in them, or fails.
    return str(value) if isinstance(value, (Header, Address)) else value


def recipients(message: Any, mto: Any) -> list[str]:
    """The bare addresses of `mto`; without it, those of To, Cc and Bcc.

    The list may be empty. Raises InvalidMessage for what cannot be an address.
    """
    texts = map(unfolded, items_of(listed(mto))) if mto else _in_headers(message)
    return [address for text in texts for address in _addresses(text)]


def items_of(mto: Any) -> Iterable[Any]:
    """The items of what `listed` returns; a text may still hold several addresses."""
    return (mto,) if isinstance(mto, str) else mto or ()


def _in_headers(message: Any) -> list[str]:
    try:
        if not isinstance(message, EmailMessage):
            message = HeaderParser().parsestr(str(message))
        headers = [message.get_all(name) or () for name in _RECIPIENT_HEADERS]
        return [unfolded(value) for values in headers for value in values]
    except Exception as error:
        # The email package raises errors of every kind for malformed addresses.
        raise InvalidMessage(f"the recipients cannot be read: {error}") from error


def _addresses(text: str) -> list[str]:
    flat = _without_groups(text)
    return list(parse_addresses(flat)) if flat.strip(", \t") else []


def _without_groups(text: str) -> str:
    """The members of groups as plain items of the list (RFC 5322 section 3.4)."""
    if ";" not in text:
        return text
    # What is dropped with the name of a group is written all the same.
    if one_line("recipient", text) != text:
        raise InvalidMessage(f"line break or control character in {text[:80]!a}")
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
