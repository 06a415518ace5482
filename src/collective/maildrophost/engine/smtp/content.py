"""The content of a message as it goes over the wire."""

# Rules of this file (RFC 5321 sections 2.3.8 and 4.5.2):
# - Every line ends with CRLF. A bare CR or LF never leaves: relays disagree about
#   where such lines end, which is how mail is smuggled into mail.
# - A line that starts with a dot gets one more; a lone dot ends the content.
# - Only a block is held besides the content, however large that is.

from __future__ import annotations

from collections.abc import Iterator

BLOCK_OCTETS = 64 * 1024
END_OF_DATA = b".\r\n"


def wire_size(content: bytes) -> int:
    """Octets for SIZE: CRLF line ends, neither stuffed dots nor the last dot
    (RFC 1870 section 5)."""
    size = len(content) + _bare_line_ends(content)
    return size if content.endswith((b"\r", b"\n")) or not content else size + 2


def wire_blocks(content: bytes) -> Iterator[bytes]:
    """The content in blocks of about `BLOCK_OCTETS`; the last holds the last dot."""
    at_line_start = True
    position = 0
    end = len(content)
    while end - position > BLOCK_OCTETS:
        cut = _cut(content, position + BLOCK_OCTETS)
        block = _encoded(content[position:cut], at_line_start)
        at_line_start = block.endswith(b"\n")
        position = cut
        yield block
    block = _encoded(content[position:] if position else content, at_line_start)
    at_line_start = block.endswith(b"\n") if block else at_line_start
    yield block + (END_OF_DATA if at_line_start else b"\r\n" + END_OF_DATA)


def _cut(content: bytes, position: int) -> int:
    """Where to cut at `position`: never between a CR and its LF."""
    splits_a_line_end = content[position - 1 : position + 1] == b"\r\n"
    return position + 1 if splits_a_line_end else position


def _encoded(block: bytes, at_line_start: bool) -> bytes:
    if _bare_line_ends(block):
        block = block.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
        block = block.replace(b"\n", b"\r\n")
    if b"\n." in block:
        block = block.replace(b"\n.", b"\n..")
    return b"." + block if at_line_start and block.startswith(b".") else block


def _bare_line_ends(block: bytes) -> int:
    pairs = block.count(b"\r\n")
    return block.count(b"\r") + block.count(b"\n") - 2 * pairs
