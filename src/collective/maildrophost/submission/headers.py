"""The headers that a caller gives: each of them stays one, or the mail is refused.

A line break in a header begins another one, or the body: mail would go to hidden
recipients, or say what its author did not. What only the email package takes for a line
break becomes a blank: people paste such characters along with titles.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from email.errors import HeaderParseError
from email.header import Header
from email.message import Message as EmailMessage
from email.policy import Policy
from email.utils import quote
from typing import Any

from collective.maildrophost.engine.message import InvalidMessage
from collective.maildrophost.engine.message.headers import (
    check_headers,
    header_block_end,
    without_preface,
)
from collective.maildrophost.submission.flattening import WHOLE_IN_TEXT, is_modern

_AS_IT_IS = ("utf-8", "surrogatepass")
_PREFACES = "\ufeff", ">From "
_FOLD = re.compile(r"\r?\n(?=[ \t])")  # RFC 5322 section 2.2.3
_LINE_BREAKS = re.compile(r"[\r\n\0]")
# These end a line for str.splitlines(), but for no reader of mail. The email package
# uses that to write a header in ASCII, or a subject beyond ASCII without a charset.
_SEPARATORS = re.compile("[\x0b\x0c\x1c-\x1e\x85\u2028\u2029]")
# Where the headers of a text, if it has any, end for the email package.
_HEAD_END = re.compile(r"^(?![!-9;-~]*:|[ \t]|From )", re.MULTILINE)
# An encoded word (RFC 2047), or an octet of an encoded parameter (RFC 2231).
_ENCODED = re.compile(r"=\?|%[0-9A-Fa-f]{2}")
_NEXT_HEADER = re.compile(rb"\n[^ \t]|\r(?!\n)|\0")


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


def content(message: Any) -> bytes | str:
    """What is to be queued of a message that MailHost, or an add-on, has written.

    Raises InvalidMessage when it can't be written.
    """
    if not isinstance(message, EmailMessage):
        return message
    check(message)
    try:
        return message.as_bytes()
    except Exception as error:
        # The email package raises errors of every kind for malformed headers.
        raise InvalidMessage(f"the message cannot be written: {error}") from error


def check(message: Any) -> None:
    """Raise InvalidMessage when a header of the message would become several.

    MailHost takes a bare CR in a text for a line break, and older releases of Python
    write a message object's header as it stands.
    """
    if isinstance(message, EmailMessage):
        for part in message.walk():
            for name, value in part.raw_items():
                one_line("name of a header", name)
                if not _is_plain(value):
                    _check_folded(message.policy, name, value)
    elif isinstance(message, str):
        octets = message.encode(*_AS_IT_IS)
        # The email package reads on where RFC 5322 sees the end, as at a "From " line.
        end = len(message[: head_end(message)].encode(*_AS_IT_IS))
        check_headers(octets, max(end, header_block_end(octets)))


def check_new(
    message: Any,
    recipients: Iterable[Any],
    mfrom: Any,
    subject: Any,
    charset: Any,
    msg_type: Any,
) -> None:
    """Raise InvalidMessage when an encoded word in an argument would begin a header.

    Messages of the email package's newer kind decode what they are given, and older
    releases of Python write a line break that comes of it as it is.
    """
    if is_modern(message):
        values = [("Subject", subject), ("From", mfrom), ("Content-Type", msg_type)]
        values += [("To", address) for address in recipients]
        if isinstance(charset, str):
            values.append(("Content-Type", f'text/plain; charset="{quote(charset)}"'))
        for name, value in values:
            if isinstance(value, str) and not _is_plain(value):
                # MailHost drops blanks around an address: a line break that comes of
                # its last word is no fold then.
                for written in {value, value.strip()}:
                    _check_decoded(message.policy, name, written)


def _check_decoded(policy: Policy, name: str, value: str) -> None:
    try:
        _, decoded = policy.header_store_parse(name, value)
    except Exception as error:
        # The email package raises errors of every kind for malformed addresses.
        raise InvalidMessage(f"the {name} cannot be written: {error}") from error
    _check_folded(policy, name, decoded)


def _check_folded(policy: Policy, name: str, value: Any) -> None:
    # Only what is written tells: a line break at either end may make a blank line.
    try:
        several = _NEXT_HEADER.search(policy.fold_binary(name, value)) is not None
    except HeaderParseError:
        several = True
    except Exception:
        return  # The package raises it again when the message is written.
    if several:
        raise InvalidMessage(f"line break or NUL in the header {name!a}")


def _is_plain(value: Any) -> bool:
    if not _tells_all(value):
        return False
    text = str(value)
    return text.isprintable() and not _ENCODED.search(text)


def _tells_all(value: Any) -> bool:
    """Whether all that is written of a header is in its text.

    A list of addresses leaves out what is wrong with it, and a line break after the
    last address, which are written all the same.
    """
    if type(value) is str or isinstance(value, Header):
        return True
    return isinstance(value, WHOLE_IN_TEXT) and not value.defects
