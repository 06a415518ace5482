"""Messages taken apart into MIME entities, so that they can be put together again."""

# Rules of this file (RFC 2045, RFC 2046 section 5.1):
# - Nothing is lost and nothing is repaired: joined, the pieces are the octets that they
#   were cut from. What breaks the rules of MIME counts as body text.
# - The line end before a boundary belongs to the boundary, not to the part.

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from email.message import Message

from ..message.headers import header_block_end, split_headers

_ENCODED_PARAMETER = re.compile(
    r';[^;="*]*\*[^;="]*=(?:\s*"[^"\\]*(?:\\.[^"\\]*){0,100}")?[^;"]*'
)
"""A parameter as in RFC 2231: its name has a star."""
_MOST_SEMICOLONS = 100
"""In what is parsed of a Content-Type: for each of them the email package counts the
quotes before it, and is busy for an hour with a million of them between two quotes."""
_DELIMITER_REST = re.compile(rb"(--)?[ \t]*(?:\r?\n|\Z)")


@dataclass(frozen=True)
class Entity:
    """A message or a part of one; `fields` are the raw lines of each header."""

    fields: tuple[bytes, ...]
    blank: bytes
    body: bytes

    @classmethod
    def of(cls, raw: bytes) -> Entity:
        end = header_block_end(raw)
        fields = tuple(split_headers(raw[:end]))
        after = 2 if raw.startswith(b"\r\n", end) else int(raw.startswith(b"\n", end))
        return cls(fields, raw[end : end + after], raw[end + after :])

    def first(self, name: str) -> str | None:
        """The value of the first header of that (lower-case) name, on one line."""
        for field in self.fields:
            if field_name(field) == name:
                value = field.partition(b":")[2].decode("latin-1")
                return " ".join(value.split())
        return None


@dataclass(frozen=True)
class ContentType:
    """What Content-Type says; `boundary` is "" where there are no parts."""

    main: str
    sub: str
    charset: str | None
    boundary: str

    @classmethod
    def of(cls, entity: Entity, default: str) -> ContentType:
        header = _header(entity.first("content-type"), default)
        main, sub = header.get_content_maintype(), header.get_content_subtype()
        charset = header.get_content_charset()
        return cls(main, sub, charset, _boundary(header) if main == "multipart" else "")


def _header(value: str | None, default: str) -> Message:
    """The Content-Type `value`, parsed; `default` counts where there is none."""
    header = Message()
    header.set_default_type(default)
    if value is not None:
        value = ";".join(value.split(";", _MOST_SEMICOLONS)[:_MOST_SEMICOLONS])
        header["Content-Type"] = value
        try:
            header.get_content_charset()
        except (TypeError, ValueError):
            # The email package stumbles over a parameter that comes both whole and in
            # pieces (name*, name*0), or in a charset with a NUL. Those without a star
            # are all good.
            header.replace_header("Content-Type", _ENCODED_PARAMETER.sub("", value))
    return header


def _boundary(header: Message) -> str:
    try:
        boundary = header.get_boundary() or ""
        boundary.encode("latin-1")
    except (LookupError, ValueError):
        return ""  # RFC 2231 with an unknown charset, or with what no raw line can have
    return boundary


def field_name(field: bytes) -> str:
    """The lower-case name of a raw header."""
    return field.partition(b":")[0].decode("latin-1").strip().lower()


def segments(body: bytes, boundary: str) -> Iterator[tuple[bytes, bool]]:
    """The pieces of a multipart's body in order, each with whether it is a part."""
    start, inside = 0, False
    for delimiter, end, closing in _delimiters(body, boundary.encode("latin-1")):
        cut = delimiter
        if cut > start and body[cut - 1] == 0x0A:
            cut -= 2 if body[max(start, cut - 2) : cut] == b"\r\n" else 1
        yield body[start:cut], inside
        yield body[cut:end], False
        start, inside = end, not closing
        if closing:
            break
    yield body[start:], inside


def _delimiters(body: bytes, boundary: bytes) -> Iterator[tuple[int, int, bool]]:
    """Start and end of every line with the boundary, and whether it is the last."""
    mark = b"--" + boundary
    position = body.find(mark)
    while position >= 0:
        rest = _DELIMITER_REST.match(body, position + len(mark))
        if rest and (position == 0 or body[position - 1] == 0x0A):
            yield position, rest.end(), rest[1] is not None
            position = body.find(mark, rest.end())
        else:
            position = body.find(mark, position + 1)
