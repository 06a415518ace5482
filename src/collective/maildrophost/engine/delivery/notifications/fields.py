"""Values from outside as header fields take them: one line of printable ASCII."""

# Rules of this file:
# - Replies, addresses and headers were written by strangers. Nothing in them may end
#   its line, so that nothing in them can start another field.
# - No line is longer than the 998 characters of RFC 5322 section 2.1.1: fields are
#   never folded, their values are cut.

from __future__ import annotations

import ipaddress
import re
from datetime import datetime, timezone
from email.utils import format_datetime

from ...clock import LATEST_SECONDS
from ...oneline import printable

MAX_VALUE_CHARACTERS = 900
_MESSAGE_ID = re.compile(rf"<[!-;=?-~]{{1,{MAX_VALUE_CHARACTERS}}}>\Z")
# RFC 6533 section 3: what does not stand for itself in a utf-8 address of seven bits.
_NOT_QCHAR = re.compile(r"[^!-*,-<>-\[\]-~]")


def field_text(text: str) -> str:
    """Any text; what is not printable ASCII becomes an escape or "?"."""
    escaped = text.encode("ascii", "backslashreplace").decode("ascii")
    return printable(escaped)[:MAX_VALUE_CHARACTERS].strip()


def field_date(epoch_seconds: float) -> str:
    """RFC 5322 section 3.3, in UTC."""
    seconds = int(min(max(epoch_seconds, 0.0), LATEST_SECONDS))
    return format_datetime(datetime.fromtimestamp(seconds, timezone.utc))


def recipient_field(address: str) -> str:
    """An address with its type: rfc822, beyond ASCII utf-8 (RFC 6533 section 3)."""
    if address.isascii():
        return f"rfc822; {field_text(address)}"
    encoded = _NOT_QCHAR.sub(lambda found: f"\\x{{{ord(found[0]):02X}}}", address)
    return f"utf-8; {encoded[:MAX_VALUE_CHARACTERS]}"


def mta_field(host: str) -> str:
    """The name of a mail server with its type; an IP address as a domain literal."""
    try:
        version = ipaddress.ip_address(host).version
    except ValueError:
        return f"dns; {field_text(host)}"
    return f"dns; [{'IPv6:' if version == 6 else ''}{host}]"


def message_id_field(text: str) -> str:
    """The Message-Id if it is one that other software can read, else ""."""
    return text if _MESSAGE_ID.match(text) else ""
