"""What in the content of a message cannot travel to a relay as it is."""

# Rules of this file:
# - A line has at most 998 octets (RFC 5321 section 4.5.3.1.6). Relays break longer
#   ones anywhere, or refuse the message.
# - NUL is in no message (RFC 5322 section 4): servers cut there, drop it, or refuse.
# - Octets above 127 need 8BITMIME in the body (RFC 6152) and SMTPUTF8 in the headers
#   (RFC 6532). SMTPUTF8 is asked for only when an address needs it: a relay must bounce
#   such mail where the next one lacks it (RFC 6531 section 3.2), while encoded words
#   go everywhere.
# - A DKIM signature covers all of the message, and one that fails may cost the mail
#   its delivery. So then nothing changes but what the relay does not take at all.
# - For ordinary mail, to find this out costs next to nothing.

from __future__ import annotations

from dataclasses import dataclass

from ..message.headers import FieldFinder, header_block_end
from .capabilities import Capabilities

MAX_LINE_OCTETS = 998  # RFC 5322 section 2.1.1
_SIGNATURES = FieldFinder(b"dkim-signature")


@dataclass(frozen=True)
class Needs:
    """Why a content must be converted; false when it may go as it is.

    `seven_bits`: no octet above 127 anywhere. `ascii_headers`: none in the headers of
    the message.
    """

    seven_bits: bool = False
    ascii_headers: bool = False
    shorter_lines: bool = False
    no_nul: bool = False

    def __bool__(self) -> bool:
        return self != NOTHING


NOTHING = Needs()


def needs(content: bytes, capabilities: Capabilities, smtputf8: bool) -> Needs:
    """What must change; `smtputf8`: whether the transaction asks for SMTPUTF8."""
    ascii_only = content.isascii()
    long_lines = has_long_line(content)
    nul = b"\0" in content
    if ascii_only and not long_lines and not nul:
        return NOTHING
    end = header_block_end(content)
    seven_bits = not ascii_only and not capabilities.offers("8BITMIME")
    if _SIGNATURES.find(content, end):
        return Needs(seven_bits=seven_bits)
    raw_headers = not ascii_only and not content[:end].isascii()
    return Needs(
        seven_bits=seven_bits,
        ascii_headers=raw_headers and not smtputf8,
        shorter_lines=long_lines,
        no_nul=nul,
    )


def has_long_line(content: bytes) -> bool:
    """Whether a line is longer than SMTP allows, its end not counted."""
    position, size = 0, len(content)
    while size - position > MAX_LINE_OCTETS:
        # Jumps from line end to line end, as far as one line may reach: five looks
        # for an ordinary mail instead of one for each of its lines.
        reach = position + MAX_LINE_OCTETS
        end = content.rfind(b"\n", position, reach + 1)
        if end < 0:
            end = content.rfind(b"\r", position, reach + 1)
        if end < 0:
            return True
        position = end + 1
    return False
