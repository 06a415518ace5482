"""The headers that a caller gives: each of them stays one, or the mail is refused.

A line break in a header begins another one, or the body: mail would go to hidden
recipients, or say what its author did not. What only the email package takes for a line
break becomes a blank: people paste such characters along with titles.
"""

from __future__ import annotations

import re
from typing import Any

from collective.maildrophost.engine.message import InvalidMessage
from collective.maildrophost.engine.message.headers import (
    check_headers,
    header_block_end,
    without_preface,
)

_AS_IT_IS = ("utf-8", "surrogatepass")
_PREFACES = "\ufeff", ">From "
_FOLD = re.compile(r"\r?\n(?=[ \t])")  # RFC 5322 section 2.2.3
_LINE_BREAKS = re.compile(r"[\r\n\0]")
# These end a line for str.splitlines(), but for no reader of mail. The email package
# uses that to write a header in ASCII, or a subject beyond ASCII without a charset.
_SEPARATORS = re.compile("[\x0b\x0c\x1c-\x1e\x85\u2028\u2029]")
# Where the headers of a text, if it has any, end for the email package.
_HEAD_END = re.compile(r"^(?![!-9;-~]*:|[ \t]|From )", re.MULTILINE)


def one_line(name: str, value: Any, charset: str | None = None) -> Any:
    """The value of a header argument as text, folded or not.

    Raises InvalidMessage when it can't be decoded, or would become several headers.
    """
    value = as_text(name, value, charset)
    if isinstance(value, str) and value.isprintable():
        return value
    if value and _LINE_BREAKS.search(unfolded(value)):
        raise InvalidMessage(f"line break or NUL in the {name}")
    return _SEPARATORS.sub(" ", value) if isinstance(value, str) else value


def remove_preface(message: Any) -> Any:
    """The message; a text without what an editor or a mailbox file has put before it.

    With that, MailHost would take everything, the headers too, for the body.
    """
    if isinstance(message, str) and message.startswith(_PREFACES):
        return without_preface(message.encode(*_AS_IT_IS)).decode(*_AS_IT_IS)
    return message


def head_end(text: str) -> int:
    """The index at which the headers of a text end for the email package."""
    found = _HEAD_END.search(text)
    return found.start() if found else len(text)


def remove_separators(message: Any) -> Any:
    """The message; a text with blanks for what would break one header into two."""
    if not isinstance(message, str):
        return message
    end = head_end(message)
    if not _SEPARATORS.search(message, 0, end):
        return message
    return _SEPARATORS.sub(" ", message[:end]) + message[end:]


def as_text(name: str, value: Any, charset: str | None = None) -> Any:
    """`value`; octets are decoded by `charset`, or as UTF-8 without one.

    Raises InvalidMessage when they can't be.
    """
    if not isinstance(value, bytes):
        return value
    try:
        return value.decode(charset or "utf-8")
    except (ValueError, LookupError, TypeError) as error:
        raise InvalidMessage(f"the {name} cannot be read: {error}") from error


def unfolded(value: Any) -> str:
    """The value of a header, or an argument that was one, as one line."""
    # A line break at either end is no fold (nothing goes on): it stays, to be refused.
    return _FOLD.sub("", str(value).strip(" \t"))


def check(message: Any) -> None:
    """Raise InvalidMessage when a header of a text would become several.

    MailHost takes a bare CR in it for a line break. What becomes of the headers of a
    message object is seen when it is written.
    """
    if isinstance(message, str):
        octets = message.encode(*_AS_IT_IS)
        # The email package reads on where RFC 5322 sees the end, as at a "From " line.
        end = len(message[: head_end(message)].encode(*_AS_IT_IS))
        check_headers(octets, max(end, header_block_end(octets)))
