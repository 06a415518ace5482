"""The octets that the email package writes of a message, sooner.

The package folds each header anew, as if it had never seen it, and reads the whole text
line by line: with a text and the same in HTML that is more than all else that a page
pays for a mail, the disk included (measured). Most headers fit on their line, many are
the same in every mail, and an encoded text is written as it stands. What is not so is
left to the package, one header at a time, or as a whole.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Collection, Iterable
from copy import copy
from dataclasses import dataclass, field
from email.headerregistry import (
    ContentTransferEncodingHeader,
    DateHeader,
    MessageIDHeader,
    MIMEVersionHeader,
    ParameterizedMIMEHeader,
    UnstructuredHeader,
)
from email.message import EmailMessage, Message, MIMEPart
from email.mime.application import MIMEApplication
from email.mime.audio import MIMEAudio
from email.mime.base import MIMEBase
from email.mime.image import MIMEImage
from email.mime.multipart import MIMEMultipart
from email.mime.nonmultipart import MIMENonMultipart
from email.mime.text import MIMEText
from email.policy import Compat32, EmailPolicy, Policy
from functools import lru_cache
from typing import Any

_CLASSES = {
    *(Message, EmailMessage, MIMEPart, MIMEBase, MIMEText, MIMEMultipart),
    *(MIMENonMultipart, MIMEApplication, MIMEAudio, MIMEImage),
}
_POLICIES = Compat32, EmailPolicy
# Their text is all that there is of them: no comment of the source is left out of it.
_WHOLE_IN_TEXT = (
    UnstructuredHeader,
    ParameterizedMIMEHeader,
    ContentTransferEncodingHeader,
    MIMEVersionHeader,
    MessageIDHeader,
    DateHeader,
)
LINE_CHARACTERS = 78  # RFC 5322 section 2.1.1, and the policies' own limit
_REMEMBERED_CHARACTERS = 200
_LINE_BREAK = re.compile(r"\r\n|\r|\n")
_BOUNDARY = "===============%019d=="
_ANY_BOUNDARY = _BOUNDARY % 0


class Unusual(Exception):
    """The message is of a kind that only the email package knows how to write."""


def is_modern(message: Any) -> bool:
    """Whether its headers are parsed, and their encoded words decoded."""
    return isinstance(message, Message) and isinstance(message.policy, EmailPolicy)


def copied(message: Message) -> Message:
    """A copy whose headers and parts may be changed; Unusual when it can't be made."""
    if type(message) not in _CLASSES:
        raise Unusual
    twin = copy(message)
    twin._headers = list(message._headers)  # type: ignore[attr-defined]
    if message.is_multipart():
        twin.set_payload([copied(part) for part in message.get_payload()])
    return twin


def flattened(
    message: Message,
    policy: Policy,
    left_out: Collection[str] = (),
    added: Iterable[bytes] = (),
) -> bytes:
    """The octets of `message`, without some headers, and with `added` behind them.

    `left_out` has names in lower case. Unusual when the email package must do it.
    """
    if type(message) not in _CLASSES or type(policy) not in _POLICIES:
        raise Unusual
    if message.policy is not policy:
        raise Unusual  # Its headers would be read in another way than they are written.
    boundary, body = _body(message, policy)
    lines = []
    for name, value in message.raw_items():
        lowered = name.lower()
        if lowered in left_out:
            continue
        if boundary and lowered == "content-type":
            lines.append(_with_boundary(policy, name, value, boundary))
        else:
            lines.append(header(policy, name, value))
    return b"".join((*lines, *added, policy.linesep.encode("ascii"), body))


def header(policy: Policy, name: str, value: Any) -> bytes:
    """The lines of a header that a message has."""
    modern = type(policy) is EmailPolicy
    if type(value) is str:
        # All else is folded only when it has to be.
        if modern and policy.refold_source == "all":
            return _folded(policy, name, value)
        kind = ""
    elif isinstance(value, _WHOLE_IN_TEXT) and not value.defects:
        kind = type(value).__name__
        name = value.name if modern else name  # as it writes itself
    else:
        return _folded(policy, name, value)
    if _fits(policy, name, value):
        return f"{name}: {value}{policy.linesep}".encode("ascii")
    # Octets that nobody can decode, and encoded words, look the same in its text.
    told = not isinstance(value, UnstructuredHeader)
    if told and len(value) <= _REMEMBERED_CHARACTERS:
        return _remembered(_Header(policy, name, str(value), kind, value))
    return _folded(policy, name, value)


def new_header(policy: Policy, name: str, value: Any) -> bytes:
    """The lines of a header once a message gets it; raises what the message would."""
    alone = Message(policy)
    alone[name] = value
    return _only_header(alone)


def _fits(policy: Policy, name: str, value: str) -> bool:
    return (
        len(name) + len(": ") + len(value) <= LINE_CHARACTERS
        and policy.max_line_length == LINE_CHARACTERS
        and value.isascii()
        and value.isprintable()
        and value != ""
    )


@dataclass(frozen=True)
class _Header:
    """A header whose lines are the same whenever all but `value` are."""

    policy: Policy
    name: str
    text: str
    kind: str
    value: Any = field(compare=False)


@lru_cache(maxsize=512)
def _remembered(given: _Header) -> bytes:
    return _folded(given.policy, given.name, given.value)


def _folded(policy: Policy, name: str, value: Any) -> bytes:
    alone = Message(policy)
    alone.set_raw(name, value)
    return _only_header(alone)


def _only_header(alone: Message) -> bytes:
    alone.set_payload("")  # else one with a boundary has a body, too
    return alone.as_bytes()[: -len(alone.policy.linesep)]


@dataclass(frozen=True)
class Kind:
    """What a Content-Type says; `boundary` is "" where it has none.

    `charset` is that of MailHost where it has none, and no text in a form of RFC 2231.
    """

    main: str
    sub: str
    boundary: str
    charset: Any


def kind_of(message: Message) -> Kind:
    """That of a message, read once for all that have the same."""
    value = message.get("Content-Type")
    if isinstance(value, str) and len(value) <= _REMEMBERED_CHARACTERS:
        return _remembered_kind(str(value))
    return _kind_read(message)


@lru_cache(maxsize=256)
def _remembered_kind(content_type: str) -> Kind:
    alone = Message()
    alone["Content-Type"] = content_type
    return _kind_read(alone)


def _kind_read(message: Message) -> Kind:
    boundary = message.get_boundary() or ""
    main, sub = message.get_content_maintype(), message.get_content_subtype()
    return Kind(main, sub, boundary, message.get_param("charset", "utf-8"))


def _body(message: Message, policy: Policy) -> tuple[str, bytes]:
    """All behind the headers; with a boundary that the headers do not tell yet."""
    kind = kind_of(message)
    # Octets beyond ASCII are in it as they came; get_payload() would decode them.
    payload = message._payload  # type: ignore[attr-defined]
    if kind.main == "multipart" and isinstance(payload, list):
        return _multipart(message, policy, payload, kind)
    if kind.main not in ("multipart", "message") and isinstance(payload, str):
        return "", _text(policy, payload)
    raise Unusual


def _text(policy: Policy, text: str) -> bytes:
    if not text.isascii() and policy.cte_type != "8bit":
        raise Unusual  # They have to be encoded.
    if "\r" in text:
        text = _LINE_BREAK.sub("\n", text)
    octets = text.encode("ascii", "surrogateescape")
    return octets.replace(b"\n", policy.linesep.encode("ascii"))


def _multipart(
    message: Message, policy: Policy, payload: list[Message], kind: Kind
) -> tuple[str, bytes]:
    if kind.sub == "signed":
        raise Unusual  # Its parts stay as they are, long headers and all.
    end = policy.linesep.encode("ascii")
    parts = [flattened(part, policy) for part in payload]
    made = "" if kind.boundary else _new_boundary(message, parts)
    delimiter = b"--" + (kind.boundary or made).encode("ascii")
    written = []
    if message.preamble is not None:
        written += [_text(policy, message.preamble), end]
    written += [delimiter, end, (end + delimiter + end).join(parts)]
    written += [end, delimiter, b"--", end]
    if message.epilogue is not None:
        written.append(_text(policy, message.epilogue))
    return made, b"".join(written)


def _new_boundary(message: Message, parts: list[bytes]) -> str:
    if len(message.get_all("content-type", ())) != 1:
        raise Unusual
    while True:
        boundary = _BOUNDARY % secrets.randbelow(10**19)
        if not any(boundary.encode("ascii") in part for part in parts):
            return boundary


def _with_boundary(policy: Policy, name: str, value: Any, boundary: str) -> bytes:
    text = type(value) is str
    if not (text or isinstance(value, ParameterizedMIMEHeader)):
        raise Unusual
    kind = "" if text else type(value).__name__
    lines = _remembered_with_boundary(_Header(policy, name, str(value), kind, value))
    return lines.replace(_ANY_BOUNDARY.encode("ascii"), boundary.encode("ascii"))


@lru_cache(maxsize=64)
def _remembered_with_boundary(given: _Header) -> bytes:
    alone = Message(given.policy)
    alone.set_raw(given.name, given.value)
    alone.set_boundary(_ANY_BOUNDARY)
    return _only_header(alone)
