"""The raw header block of a message, read without parsing the message."""

from __future__ import annotations

import re
from dataclasses import dataclass
from email.errors import HeaderParseError
from email.header import decode_header
from functools import lru_cache

from .errors import InvalidMessage

# RFC 5322 section 2.2: a name of printable ASCII, a colon, a value that goes on in
# lines that start with a blank. The block ends at the first line that is neither.
# A pattern that repeats a line takes 420 octets for each until it ends: a log of 45 MB
# with such lines took 1.3 GB. So the end of the block is looked for instead.
_NAME = re.compile(rb"[!-9;-~]{1,998}[ \t]*:")
# What an editor puts before any text, and a mailbox before each message (mbox, RFC 4155
# appendix A; some programs quote it with ">"). Headers have to follow, and the line
# needs its date: a body may begin with "From here on". One pattern for all such lines
# would try each date in every one of them, if no header follows: 2^n ways.
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"
_MAILBOX_LINE = re.compile(
    rb">?From [^\s:][^\r\n]{0,998}? (?:Mon|Tue|Wed|Thu|Fri|Sat|Sun) [A-Z][a-z]{2} "
    rb"[ 0-9][0-9] [0-9]{2}:[0-9]{2}[^\r\n]{0,998}\r?\n"
)
_BLOCK_END = re.compile(rb"\n(?![ \t]|[!-9;-~]{1,998}[ \t]*:)")
_FIELD_END = re.compile(rb"\n(?![ \t])")
_LINE_BREAK = re.compile(rb"\r?\n")
_BLANKS = re.compile(r"[\t\r\n]")
# Only what could end a line or turn its direction: isprintable() is false as well for
# the joiners of Persian and emoji, and for the space before a French "!".
_CONTROLS = re.compile(
    "[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]"
)
_MAX_DECODED_OCTETS = 16 * 1024
"""Room for a thousand characters, each of four octets, in encoded words (RFC 2047)."""


@dataclass(frozen=True)
class Field:
    """One header: ``value`` as it stands; ``start`` and ``end`` cut out its lines."""

    name: bytes
    value: bytes
    start: int
    end: int


class FieldFinder:
    """Finds the headers of the given lower-case names, whatever their case."""

    def __init__(self, *names: bytes) -> None:
        name = rb"(" + b"|".join(map(re.escape, names)) + rb")[ \t]*:"
        self._first = re.compile(name, re.IGNORECASE)
        # Faster than `^`: a pattern with a fixed first octet is searched for by that.
        self._later = re.compile(rb"\n" + name, re.IGNORECASE)

    def find(self, content: bytes, block_end: int) -> list[Field]:
        """Every such header before `block_end`, in order."""
        first = self._first.match(content, 0, block_end)
        fields = [_field(content, first, block_end)] if first else []
        for later in self._later.finditer(content, 0, block_end):
            fields.append(_field(content, later, block_end))
        return fields


def _field(content: bytes, name: re.Match[bytes], block_end: int) -> Field:
    value = name.end()
    found = _FIELD_END.search(content, value, block_end)
    end = found.end() if found else block_end
    return Field(name[1].lower(), content[value:end].strip(), name.start(1), end)


def without_preface(content: bytes) -> bytes:
    """`content` without what a mailbox or an editor has put before its headers.

    Headers after that would be taken for the body, and shown to the reader.
    """
    end = len(_BYTE_ORDER_MARK) if content.startswith(_BYTE_ORDER_MARK) else 0
    while line := _MAILBOX_LINE.match(content, end):
        end = line.end()
    return content[end:] if _NAME.match(content, end) else content


def header_block_end(content: bytes) -> int:
    """Where the headers end; 0 when `content` does not start with one."""
    if not _NAME.match(content):
        return 0
    found = _BLOCK_END.search(content)
    return found.end() if found else len(content)


def split_headers(block: bytes) -> list[bytes]:
    """The lines of each header; joined they are the block."""
    breaks = [found.end() for found in _FIELD_END.finditer(block)]
    cuts = zip([0, *breaks], [*breaks, len(block)], strict=True)
    return [block[start:end] for start, end in cuts if start < end]


def check_headers(content: bytes, end: int) -> None:
    """InvalidMessage when the headers, up to `end`, hold a NUL or a bare CR.

    Some programs drop a NUL or cut a line there, and some take a bare CR for a line
    break: they would read a header that nobody wrote.
    """
    if content.find(b"\0", 0, end) >= 0:
        raise InvalidMessage("NUL in the headers of the message")
    if content.count(b"\r", 0, end) != content.count(b"\r\n", 0, end):
        raise InvalidMessage("a CR without LF in the headers of the message")


def line_ending(content: bytes) -> bytes:
    """The line break that `content` uses first, LF when it has none."""
    at = content.find(b"\n")
    return b"\r\n" if at > 0 and content[at - 1] == 0x0D else b"\n"


def without(content: bytes, fields: list[Field]) -> bytes:
    """`content` without the lines of `fields`, everything else byte for byte."""
    starts = [0, *(field.end for field in fields)]
    ends = [*(field.start for field in fields), len(content)]
    return b"".join(content[start:end] for start, end in zip(starts, ends, strict=True))


def with_field_on_top(content: bytes, field: bytes) -> bytes:
    """`content` with one more header line before all others."""
    ending = line_ending(content)
    starts_with_body = content[:1] not in (b"", b"\r", b"\n") and not _NAME.match(
        content
    )
    # A body without headers stays a body only after an empty line.
    return field + ending + (ending if starts_with_body else b"") + content


def display_text(value: bytes, max_characters: int) -> str:
    """A header's value for people: decoded (RFC 2047), one line without controls."""
    unfolded = _LINE_BREAK.sub(b"", value[:_MAX_DECODED_OCTETS])
    text = unfolded.decode("utf-8", "replace")
    if "=?" in text:
        text = _decode_words(text)
    if not text.isprintable():
        text = _CONTROLS.sub("\ufffd", _BLANKS.sub(" ", text))
    return text.strip()[:max_characters]


@lru_cache(maxsize=256)  # a newsletter has the same subject thousands of times
def _decode_words(text: str) -> str:
    try:
        parts = decode_header(text)
    except (HeaderParseError, ValueError):
        return text
    return "".join(
        part if isinstance(part, str) else _decode_part(part, charset)
        for part, charset in parts
    )


def _decode_part(part: bytes, charset: str | None) -> str:
    # decode_header() returns the text between encoded words in this encoding.
    try:
        return part.decode(charset or "raw-unicode-escape", "replace")
    except (LookupError, ValueError):  # unknown, or a codec that cannot replace
        return part.decode("latin-1")
