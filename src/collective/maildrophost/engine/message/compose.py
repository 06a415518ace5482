"""A message with its envelope, checked before anything is queued."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from ..clock import LATEST_SECONDS
from ..wording import _
from .addresses import parse_addresses, unique
from .errors import InvalidMessage
from .headers import (
    FieldFinder,
    check_headers,
    display_text,
    header_block_end,
    with_field_on_top,
    without,
    without_preface,
)
from .lanes import Lane, choose_lane
from .messageid import new_message_id

_MAX_LINE_CHARACTERS = 998  # RFC 5322 section 2.1.1
_FINDER = FieldFinder(
    b"subject",
    b"message-id",
    b"precedence",
    b"list-id",
    b"list-unsubscribe",
    b"x-maildrop-lane",
)


@dataclass(frozen=True)
class Message:
    """What the queue takes: nothing in it needs another check.

    ``sender`` is "" for the null sender; ``due`` is in seconds since the epoch, None:
    at once. ``subject`` and ``message_id`` are for listings.
    """

    sender: str
    recipients: tuple[str, ...]
    content: bytes
    lane: Lane
    due: float | None
    subject: str
    message_id: str


def compose(
    content: bytes | str,
    sender: str,
    recipients: Iterable[str],
    *,
    lane: Lane | None = None,
    at: float | None = None,
    immediate: bool = False,
    add_message_id: bool = True,
    now: float,
) -> Message:
    """Check envelope and content; InvalidMessage says what no relay could take.

    `sender` and each of `recipients` may carry display names; a recipient may be a
    list with commas. `at` and `now` are seconds since the epoch. The content stays as
    it is, but for an X-Maildrop-Lane header and what a mailbox or an editor has put
    before the headers (removed), and for a missing Message-Id (added). A NUL or
    a bare CR in its headers is refused.
    """
    content = without_preface(_as_bytes(content))
    bare_sender = parse_sender(sender)
    bare_recipients = _parse_recipients(recipients)
    headers_end = header_block_end(content)
    check_headers(content, headers_end)
    found = _FINDER.find(content, headers_end)
    first = {field.name: field.value for field in reversed(found)}
    chosen = choose_lane(lane, first, immediate)
    if b"x-maildrop-lane" in first:
        content = without(content, [f for f in found if f.name == b"x-maildrop-lane"])
    message_id = display_text(first.get(b"message-id", b""), _MAX_LINE_CHARACTERS)
    if add_message_id and b"message-id" not in first:
        message_id = new_message_id(bare_sender, now)
        content = with_field_on_top(content, b"Message-Id: " + message_id.encode())
    return Message(
        sender=bare_sender,
        recipients=bare_recipients,
        content=content,
        lane=chosen,
        due=_checked_time(at),
        subject=display_text(first.get(b"subject", b""), _MAX_LINE_CHARACTERS),
        message_id=message_id,
    )


def parse_sender(text: str) -> str:
    """The one bare address of an envelope sender; "" or "<>" is the null sender."""
    if text.strip(" \t") in ("", "<>"):
        return ""
    addresses = parse_addresses(text)
    if len(addresses) > 1:
        raise InvalidMessage(
            _(
                "${count} senders given, there can be one only",
                mapping={"count": len(addresses)},
            )
        )
    return addresses[0]


def _as_bytes(content: bytes | str) -> bytes:
    if isinstance(content, bytes):
        return content
    try:
        return content.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:
        raise InvalidMessage(
            "the message has a character that UTF-8 cannot write"
        ) from None


def _parse_recipients(recipients: Iterable[str]) -> tuple[str, ...]:
    # A lone string is one list, not one recipient for each character.
    items = (recipients,) if isinstance(recipients, str) else recipients
    addresses = unique(address for item in items for address in parse_addresses(item))
    if not addresses:
        raise InvalidMessage("no recipient given")
    return addresses


def _checked_time(at: float | None) -> float | None:
    if at is None:
        return None
    if not 0 <= at <= LATEST_SECONDS:
        raise InvalidMessage("the time to send it at is not in the years 1970 to 9999")
    return float(at)
