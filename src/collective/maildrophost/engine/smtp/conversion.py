"""Messages changed so that they can travel."""

# Rules of this file (RFC 2045 section 6, RFC 6152 section 3):
# - Only a part that cannot travel changes: in its transfer encoding, and in its charset
#   if it names none. All else keeps its octets.
# - What is inside a multipart/signed is never touched: a signature that fails is worse
#   than a line that a relay breaks.
# - It runs in a thread beside the event loop, which no single call may stop for long:
#   so large bodies are worked on in blocks.

from __future__ import annotations

from collections.abc import Sequence

from .content import blocks
from .headerfields import charset_of, converted
from .mime import ContentType, Entity, field_name, segments
from .needs import Needs, has_long_line
from .transferencoding import as_base64, as_quoted_printable, decoded, rewrapped

MAX_DEPTH = 40
"""Levels of parts in parts that are looked into; people's mail has five at most."""

_ENCODINGS = ("base64", "quoted-printable")
_HIGH_OCTETS = bytes(range(128, 256))
_QUESTION_MARKS = bytes(range(128)) + b"?" * 128
_SAFE_WIDTH = 900


def convert(content: bytes, needs: Needs) -> bytes:
    """The same message without what `needs` names, except for that in signed parts."""
    entity = Entity.of(content)
    fields, body = _converted(entity, needs, needs.ascii_headers, "text/plain", 0)
    if body is not entity.body and entity.first("mime-version") is None:
        fields = _with_field(fields, b"MIME-Version: 1.0")
    return _joined(entity, fields, body)


def _entity(raw: bytes, needs: Needs, default_type: str, depth: int) -> bytes:
    entity = Entity.of(raw)
    return _joined(entity, *_converted(entity, needs, False, default_type, depth))


def _converted(
    entity: Entity, needs: Needs, ascii_headers: bool, default_type: str, depth: int
) -> tuple[list[bytes], bytes]:
    fields = [converted(field, needs, ascii_headers) for field in entity.fields]
    body = entity.body
    if not _is_unfit(body, needs):
        return fields, body
    kind = ContentType.of(entity, default_type)
    if kind.boundary and depth < MAX_DEPTH:
        if kind.sub == "signed":
            return fields, body
        return _labelled_7bit(fields, needs), _multipart(body, kind, needs, depth)
    is_message = (kind.main, kind.sub) == ("message", "rfc822")
    if is_message and _encoding(entity) not in _ENCODINGS and depth < MAX_DEPTH:
        inner = _entity(body, needs, "text/plain", depth + 1)
        return _labelled_7bit(fields, needs), inner
    return _leaf(entity, fields, kind)


def _multipart(body: bytes, kind: ContentType, needs: Needs, depth: int) -> bytes:
    default_type = "message/rfc822" if kind.sub == "digest" else "text/plain"
    return b"".join(
        _entity(piece, needs, default_type, depth + 1)
        if is_part
        else _padding(piece, needs)
        for piece, is_part in segments(body, kind.boundary)
    )


def _padding(text: bytes, needs: Needs) -> bytes:
    """The text before and behind the parts, which nobody is shown."""
    if not _is_unfit(text, needs):
        return text
    if needs.seven_bits:
        text = text.translate(_QUESTION_MARKS)
    text = text.replace(b"\0", b"")
    return b"\n".join(
        line[start : start + _SAFE_WIDTH]
        for line in text.split(b"\n")
        for start in range(0, max(len(line), 1), _SAFE_WIDTH)
    )


def _leaf(
    entity: Entity, fields: list[bytes], kind: ContentType
) -> tuple[list[bytes], bytes]:
    present = _encoding(entity)
    if present == "base64":
        return fields, rewrapped(entity.body)
    body = decoded(entity.body, present)
    text = kind.main == "text"
    if text and kind.charset is None and not body.isascii():
        fields = _with_charset(fields, charset_of(body))
    if text and _reads_well_quoted(body):
        encoding, encoded = b"quoted-printable", as_quoted_printable(body)
    else:
        encoding, encoded = b"base64", as_base64(body, text)
    fields = [f for f in fields if field_name(f) != "content-transfer-encoding"]
    return _with_field(fields, b"Content-Transfer-Encoding: " + encoding), encoded


def _encoding(entity: Entity) -> str:
    value = entity.first("content-transfer-encoding") or ""
    return value.lower().replace(";", " ").replace("(", " (").partition(" ")[0]


def _reads_well_quoted(body: bytes) -> bool:
    """Whether a text suits quoted-printable: no NUL, and few octets to be escaped."""
    high = sum(len(b) - len(b.translate(None, _HIGH_OCTETS)) for b in blocks(body))
    return high * 4 <= len(body) and b"\0" not in body


def _is_unfit(text: bytes, needs: Needs) -> bool:
    return (
        (needs.seven_bits and not text.isascii())
        or (needs.no_nul and b"\0" in text)
        or (needs.shorter_lines and has_long_line(text))
    )


def _labelled_7bit(fields: list[bytes], needs: Needs) -> list[bytes]:
    """The headers of a container, which is 7bit when all that it holds is."""
    if not needs.seven_bits:
        return fields
    name = "content-transfer-encoding"
    label = b"Content-Transfer-Encoding: 7bit\n"
    return [label if field_name(field) == name else field for field in fields]


def _with_charset(fields: list[bytes], charset: str) -> list[bytes]:
    parameter = f"; charset={charset}\n".encode()
    for number, field in enumerate(fields):
        if field_name(field) == "content-type":
            labelled = field.rstrip(b"; \t\r\n") + parameter
            return [*fields[:number], labelled, *fields[number + 1 :]]
    return _with_field(fields, b"Content-Type: text/plain" + parameter.rstrip())


def _with_field(fields: Sequence[bytes], field: bytes) -> list[bytes]:
    return [*fields, field + b"\n"]


def _joined(entity: Entity, fields: Sequence[bytes], body: bytes) -> bytes:
    # Where there were no headers there is no empty line, which new ones need.
    blank = entity.blank or (b"\n" if body is not entity.body else b"")
    return b"".join([*fields, blank, body])
