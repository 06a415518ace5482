"""Raw headers changed so that they can travel."""

# Rules of this file:
# - A header that can travel keeps its octets.
# - Raw octets are taken for UTF-8, else for Latin-1, and become encoded words
#   (RFC 2047); the domain of an address becomes A-labels (RFC 5891) as in the envelope.
# - A long line is folded before its blanks, where unfolding gives the same value (RFC
#   5322 section 2.2.3). A list of addresses may get a blank behind a comma. What has
#   neither stays: there is no place to break it that keeps its meaning.
# - A header is never turned into two.

from __future__ import annotations

import re
from collections.abc import Iterator
from email import policy
from email.header import Header
from functools import lru_cache

from ..domains import with_ascii_domains
from .mime import field_name
from .needs import Needs, has_long_line

_LINE_CHARACTERS = 78
_ADDRESS_HEADERS = re.compile(
    "(?:resent-)?(?:from|sender|reply-to|to|cc|bcc)|disposition-notification-to"
)
# A quote or bracket that is never closed goes on to the end, as mail programs take it.
# Looking for its end again from each later quote takes minutes, and stops all threads.
# Nor is a group repeated for each character: that takes 140 octets of memory for each.
_QUOTE = r'"[^"\\]*(?:\\.[^"\\]*){0,100}"?'
_IN_COMMENT = r"[^()\\]*(?:\\.[^()\\]*){0,100}"
_WHOLE = rf"{_QUOTE}|\({_IN_COMMENT}\)?|<[^<>]*>?|\[[^\[\]]*\]?"
_IN_A_LIST = re.compile(rf'(?P<separator>,)|{_WHOLE}|[^,"(<\[]+')
_IN_A_GROUP = re.compile(rf'(?P<separator>[:;])|{_WHOLE}|[^:;"(<\[]+')
_QUOTED_OR_COMMENT = re.compile(
    rf"{_QUOTE}|"
    rf"\(([^()\\]*(?:(?:\\.|\({_IN_COMMENT}\))[^()\\]*){{0,100}})(\))?"
)
_QUOTED_PAIR = re.compile(r"\\(.)")
# The email package takes seconds for long values, above all for what is no address.
_MAX_PARSED_CHARACTERS = 1000
_MAX_ITEM_CHARACTERS = 200
_BEFORE_BLANKS = re.compile(rb"(?<=[^ \t\r\n])(?=[ \t]+[^ \t\r\n])")
_BEHIND_COMMAS = re.compile(rb"(?<=,)(?=[^ \t\r\n])")


def converted(field: bytes, needs: Needs, ascii_only: bool) -> bytes:
    """One header with its line end.

    Its raw octets are encoded with `ascii_only`, or if `needs` asks for seven bits.
    """
    if needs.no_nul:
        field = field.replace(b"\0", b"")
    if (ascii_only or needs.seven_bits) and not field.isascii():
        field = _with_encoded_words(field)
    if needs.shorter_lines:
        field = _folded(field)
    return field


def charset_of(raw: bytes) -> str:
    """The charset that raw octets are taken for."""
    try:
        raw.decode("utf-8")
    except UnicodeDecodeError:
        return "iso-8859-1"
    return "utf-8"


def _with_encoded_words(field: bytes) -> bytes:
    raw_name, _, raw = field.partition(b":")
    name = raw_name.decode("ascii").strip()
    text = "".join(raw.decode(charset_of(raw)).splitlines()).strip()
    if _ADDRESS_HEADERS.fullmatch(field_name(field)):
        items = map(str.strip, _pieces(_IN_A_LIST, text))
        value = ",\n ".join(
            _encoded_item(name, item) for item in items if item not in ("", ",")
        )
    else:
        value = _encoded_words(name, text, _MAX_PARSED_CHARACTERS)
    return f"{name}: {value}\n".encode("ascii")


def _pieces(tokens: re.Pattern[str], text: str) -> Iterator[str]:
    """What stands between the separators, and the separators."""
    start = 0
    for token in tokens.finditer(text):
        if token["separator"] is not None:
            yield text[start : token.start()]
            yield token[0]
            start = token.end()
    yield text[start:]


def _encoded_item(name: str, item: str) -> str:
    item = with_ascii_domains(item)
    if item.isascii():
        return item
    # A group begins with its name and a colon, and ends with a semicolon.
    parts = (_encoded_part(name, part) for part in _pieces(_IN_A_GROUP, item))
    return "".join(parts).strip(" ")


def _encoded_part(name: str, part: str) -> str:
    if part.isascii():
        return part
    text = part.strip(" \t")
    before, _, after = part.partition(text)
    # The email package would turn a comment into words beside the address.
    text = _QUOTED_OR_COMMENT.sub(_encoded_comment, text)
    if text.isascii():
        return before + text.replace("?= =?", "?=\n =?") + after
    words = _encoded_words(name, text, _MAX_ITEM_CHARACTERS)
    if words.endswith("?="):
        after = after or " "  # RFC 2047 section 5 (3): no colon of a group touches it
    return before + words + after


def _encoded_comment(found: re.Match[str]) -> str:
    if found[0].isascii() or not found[2]:
        return found[0]
    inner = _QUOTED_PAIR.sub(r"\1", found[1])
    # RFC 2047 section 5 (2). Not folded yet: the email package takes a single line.
    return f"({Header(inner, 'utf-8').encode(linesep='')})"


def _encoded_words(name: str, text: str, most: int) -> str:
    if len(text) <= most:
        return _remembered_words(name, text)
    return Header(text, "utf-8").encode()


@lru_cache(maxsize=256)  # a newsletter has the same headers thousands of times
def _remembered_words(name: str, text: str) -> str:
    try:
        header = policy.default.header_factory(name, text)
        value = str(header.fold(policy=policy.default)).partition(":")[2].strip()
        if value.isascii() and not _breaks_out(value):
            return value
    except Exception:  # noqa: S110
        # The email package stumbles over some headers in ways it does not document.
        pass
    return Header(text, "utf-8").encode()


def _breaks_out(value: str) -> bool:
    """Whether a line of the value would be taken for a header, or end the headers."""
    lines = re.split(r"\r\n|\r|\n", value)
    return any(not line.strip() or line[0] not in " \t" for line in lines[1:])


def _folded(field: bytes) -> bytes:
    lines = b"".join(_folded_line(line) for line in field.splitlines(keepends=True))
    if has_long_line(lines) and _ADDRESS_HEADERS.fullmatch(field_name(field)):
        return _broken(lines, _BEHIND_COMMAS, b"\n ")
    return lines


def _folded_line(line: bytes) -> bytes:
    return _broken(line, _BEFORE_BLANKS, b"\n") if has_long_line(line) else line


def _broken(text: bytes, places: re.Pattern[bytes], line_end: bytes) -> bytes:
    """`text` broken at some of the `places`, so that lines are short where possible."""
    first, *pieces = places.split(text)
    while pieces and not _has_text(first):
        # Not behind a header's name, where it would leave a line without text.
        first += pieces.pop(0)
    lines, length = [first], len(first)
    for piece in pieces:
        if length + len(piece) > _LINE_CHARACTERS:
            lines.append(line_end)
            length = 0
        lines.append(piece)
        length += len(piece)
    return b"".join(lines)


def _has_text(line: bytes) -> bool:
    """Whether the start of a header, or of one of its later lines, has any text."""
    return line[:1].isspace() or bool(line.partition(b":")[2].strip())
