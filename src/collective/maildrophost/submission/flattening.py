"""The same octets that the email package writes of a message, in less time.

The package folds each header anew, and reads the whole body line by line: for a mail
with a text and the same in HTML, a page pays more for that than for everything else,
the disk included (measured). Most headers fit on their line, many are the same in every
mail, and an encoded text is written as it stands. Whatever differs is left to the
package, a single header or the whole message.
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
# Parsed headers whose text is complete: no comment (RFC 5322) is left out of it.
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
_NEXT_HEADER = re.compile(rb"\n[^ \t]|\r(?!\n)|\0")
_BOUNDARY = "===============%019d=="
_ANY_BOUNDARY = _BOUNDARY % 0


class Unusual(Exception):
    """The message is of a kind that only the email package knows how to write."""


def is_one_header(lines: bytes) -> bool:
    """Whether readers of mail find one header in lines written for one."""
    return _NEXT_HEADER.search(lines) is None


def is_modern(message: Any) -> bool:
    """Whether it is a message that parses its headers and decodes encoded words."""
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
    """The octets of `message`, without some headers, and with others after the rest.

    `left_out` has names in lower case, `added` lines. Unusual when only the email
    package can do it.
    """
    if type(message) not in _CLASSES or type(policy) not in _POLICIES:
        raise Unusual
    if message.policy is not policy:
        raise Unusual  # Headers parsed by one policy would be written by another.
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
    """The lines of a header as a message has it."""
    modern = type(policy) is EmailPolicy
    if type(value) is str:
        # Any other policy folds it only when it has to.
        if modern and policy.refold_source == "all":
            return _folded(policy, name, value)
        kind = ""
    elif isinstance(value, _WHOLE_IN_TEXT) and not value.defects:
        kind = type(value).__name__
        name = value.name if modern else name  # a parsed header writes its own
    else:
        return _folded(policy, name, value)
    if _fits(policy, name, value):
        return f"{name}: {value}{policy.linesep}".encode("ascii")
    # Not for an unstructured one: octets that nobody can decode, and encoded words, may
    # have the same text, but are not written alike.
    is_key = not isinstance(value, UnstructuredHeader)
    if is_key and len(value) <= _REMEMBERED_CHARACTERS:
        return _remembered(_Header(policy, name, str(value), kind, value))
    return _folded(policy, name, value)


def new_header(policy: Policy, name: str, value: Any) -> bytes:
    """The lines of a header that a message is given; raises what the message would."""
    alone = Message(policy)
    alone[name] = value
    return _only_header(alone)


def _fits(policy: Policy, name: str, value: str) -> bool:
    return (
        len(name) + len(": ") + len(value) <= LINE_CHARACTERS
        and policy.max_line_length == LINE_CHARACTERS
        and name.isprintable()
        and value.isascii()
        and value.isprintable()
        and value != ""
    )


@dataclass(frozen=True)
class _Header:
    """The key of a cache: headers that differ in `value` alone have the same lines."""

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
    alone.set_payload("")  # otherwise a Content-Type with a boundary brings a body
    lines = alone.as_bytes()[: -len(alone.policy.linesep)]
    if not is_one_header(lines):
        raise Unusual
    return lines


@dataclass(frozen=True)
class Kind:
    """What a Content-Type says; `boundary` is "" where it has none.

    `charset` is MailHost's default where it has none, and a tuple if RFC 2231 is used.
    """

    main: str
    sub: str
    boundary: str
    charset: Any


def kind_of(message: Message) -> Kind:
    """The Kind of a message, read once for all that have the same Content-Type."""
    value = message.get("Content-Type")
    if isinstance(value, str) and len(value) <= _REMEMBERED_CHARACTERS:
        return _remembered_kind(str(value))
    return _read_kind(message)


@lru_cache(maxsize=256)
def _remembered_kind(content_type: str) -> Kind:
    alone = Message()
    alone["Content-Type"] = content_type
    return _read_kind(alone)


def _read_kind(message: Message) -> Kind:
    boundary = message.get_boundary() or ""
    main, sub = message.get_content_maintype(), message.get_content_subtype()
    return Kind(main, sub, boundary, message.get_param("charset", "utf-8"))


def _body(message: Message, policy: Policy) -> tuple[str, bytes]:
    """A boundary that the headers lack, or "", and everything after the headers."""
    kind = kind_of(message)
    # Octets beyond ASCII are in `_payload` as they came; get_payload() decodes them.
    payload = message._payload  # type: ignore[attr-defined]
    if kind.main == "multipart" and isinstance(payload, list):
        return _multipart(message, policy, payload, kind)
    if kind.main not in ("multipart", "message") and isinstance(payload, str):
        return "", _text(policy, payload)
    raise Unusual


def _text(policy: Policy, text: str) -> bytes:
    if not text.isascii() and policy.cte_type != "8bit":
        raise Unusual  # Octets beyond ASCII have to be encoded.
    if "\r" in text:
        text = _LINE_BREAK.sub("\n", text)
    octets = text.encode("ascii", "surrogateescape")
    return octets.replace(b"\n", policy.linesep.encode("ascii"))


def _multipart(
    message: Message, policy: Policy, payload: list[Message], kind: Kind
) -> tuple[str, bytes]:
    if kind.sub == "signed":
        raise Unusual  # Signed parts stay as they are, long headers included.
    end = policy.linesep.encode("ascii")
    parts = [flattened(part, policy) for part in payload]
    new_boundary = "" if kind.boundary else _new_boundary(message, parts)
    delimiter = b"--" + (kind.boundary or new_boundary).encode("ascii")
    written = []
    if message.preamble is not None:
        written += [_text(policy, message.preamble), end]
    written += [delimiter, end, (end + delimiter + end).join(parts)]
    written += [end, delimiter, b"--", end]
    if message.epilogue is not None:
        written.append(_text(policy, message.epilogue))
    return new_boundary, b"".join(written)


def _new_boundary(message: Message, parts: list[bytes]) -> str:
    if len(message.get_all("content-type", ())) != 1:
        raise Unusual
    while True:
        boundary = _BOUNDARY % secrets.randbelow(10**19)
        if not any(boundary.encode("ascii") in part for part in parts):
            return boundary


def _with_boundary(policy: Policy, name: str, value: Any, boundary: str) -> bytes:
    is_text = type(value) is str
    if not (is_text or isinstance(value, ParameterizedMIMEHeader)):
        raise Unusual
    kind = "" if is_text else type(value).__name__
    lines = _remembered_with_boundary(_Header(policy, name, str(value), kind, value))
    return lines.replace(_ANY_BOUNDARY.encode("ascii"), boundary.encode("ascii"))


@lru_cache(maxsize=64)
def _remembered_with_boundary(given: _Header) -> bytes:
    alone = Message(given.policy)
    alone.set_raw(given.name, given.value)
    alone.set_boundary(_ANY_BOUNDARY)
    return _only_header(alone)
