"""The content of a message as it goes over the wire."""

# Rules of this file (RFC 5321 sections 2.3.8 and 4.5.2):
# - Every line ends with CRLF. A bare CR or LF never leaves: relays disagree about
#   where such lines end, which is how mail is smuggled into mail.
# - A line that starts with a dot gets one more; a lone dot ends the content.
# - Only a block is held besides the content, however large that is.
# - Python looks for one octet several times faster than for two, and a compiled
#   pattern finds two faster than `in` does: hence the ways of looking here.

from __future__ import annotations

import re
from collections.abc import Iterator

BLOCK_OCTETS = 64 * 1024
END_OF_DATA = b".\r\n"
_DOT_LINE = re.compile(rb"\n\.")
_BARE_CR = re.compile(rb"\r[^\n]")


def wire_size(content: bytes) -> int:
    """Octets for SIZE: line ends are CRLF, no dots are added (RFC 1870 section 5)."""
    size = len(content) + _bare_line_ends(content)
    return size if content.endswith((b"\r", b"\n")) or not content else size + 2


def wire_blocks(content: bytes) -> Iterator[bytes]:
    """The content in blocks of about `BLOCK_OCTETS`; the last holds the last dot."""
    at_line_start = True
    # One block is held back, so that the last dot can go with the last block.
    held = b""
    for block in blocks(content):
        if held:
            yield held
        held = _encoded(block, at_line_start)
        at_line_start = held.endswith(b"\n")
    yield held + (END_OF_DATA if at_line_start else b"\r\n" + END_OF_DATA)


def blocks(content: bytes) -> Iterator[bytes]:
    """`content` in pieces of about `BLOCK_OCTETS`; no CRLF is cut in two."""
    position = 0
    while position < len(content):
        cut = position + BLOCK_OCTETS
        if content[cut - 1 : cut + 1] == b"\r\n":
            cut += 1
        yield content[position:cut]
        position = cut


def _encoded(block: bytes, at_line_start: bool) -> bytes:
    if b"\r" not in block:
        block = block.replace(b"\n", b"\r\n")
    elif _bare_line_ends(block):
        block = with_lf(block).replace(b"\n", b"\r\n")
    if _DOT_LINE.search(block):
        block = block.replace(b"\n.", b"\n..")
    return b"." + block if at_line_start and block.startswith(b".") else block


def with_lf(block: bytes) -> bytes:
    """`block` with LF line ends; a bare CR is one, too."""
    return block.replace(b"\r\n", b"\n").replace(b"\r", b"\n")


def _bare_line_ends(block: bytes) -> int:
    lines, returns = block.count(b"\n"), block.count(b"\r")
    if returns and (_BARE_CR.search(block) or block.endswith(b"\r")):
        return lines + returns - 2 * block.count(b"\r\n")
    return lines - returns
