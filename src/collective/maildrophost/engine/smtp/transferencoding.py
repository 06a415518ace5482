"""Bodies in the transfer encodings of MIME."""

# Rules of this file (RFC 2045 section 6):
# - Lines of encoded text have 76 characters at most.
# - The line ends of a text are CRLF before base64; quoted-printable keeps them as
#   line ends, which the wire makes CRLF. Anything else is encoded octet by octet.
# - Every step works on a block: a large body must not stop the other threads.

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterable, Iterator

from .content import blocks, with_lf

_LINE_CHARACTERS = 76
_LINE_OCTETS = _LINE_CHARACTERS // 4 * 3
_TOO_LONG_QUOTED = re.compile(
    rb"^(?=[^\n]{77})([^\n]{73,75}?)(=[0-9A-F]{2}=?|[^\n=]=)$", re.MULTILINE
)
_NO_BASE64 = bytes([0, *b" \t\r\n", *range(128, 256)])


def decoded(body: bytes, encoding: str) -> bytes:
    """The octets behind a transfer encoding other than base64 (for it: `rewrapped`)."""
    return binascii.a2b_qp(body) if encoding == "quoted-printable" else body


def as_quoted_printable(text: bytes) -> bytes:
    pieces: list[bytes] = []
    for block in blocks(text):
        if pieces and not pieces[-1].endswith(b"\n"):
            pieces[-1] += b"=\n"
        pieces.append(binascii.b2a_qp(with_lf(block)))
    # binascii counts neither the blank at the end of a line, which it encodes, nor the
    # soft line break that was added to a block: lines with these may be too long.
    return b"".join(_TOO_LONG_QUOTED.sub(rb"\1=\n\2", piece) for piece in pieces)


def as_base64(body: bytes, text: bool) -> bytes:
    # Octets with NUL are no text, whatever their label says.
    pieces = blocks(body)
    if text and b"\0" not in body:
        pieces = (with_lf(block).replace(b"\n", b"\r\n") for block in pieces)
    return b"".join(map(base64.encodebytes, _in_lines(pieces, _LINE_OCTETS)))


def rewrapped(body: bytes) -> bytes:
    """Base64 with lines of the usual length, without what decoders have to ignore."""
    cleaned = (block.translate(None, _NO_BASE64) for block in blocks(body))
    return b"\n".join(map(_wrapped, _in_lines(cleaned, _LINE_CHARACTERS)))


def _wrapped(text: bytes) -> bytes:
    starts = range(0, len(text), _LINE_CHARACTERS)
    return b"\n".join(text[start : start + _LINE_CHARACTERS] for start in starts)


def _in_lines(pieces: Iterable[bytes], width: int) -> Iterator[bytes]:
    """The same octets in pieces of whole lines of `width`, the last one excepted."""
    rest = b""
    for piece in pieces:
        piece = rest + piece
        whole = len(piece) - len(piece) % width
        rest = piece[whole:]
        if whole:
            yield piece[:whole]
    if rest:
        yield rest
