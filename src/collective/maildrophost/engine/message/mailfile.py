"""The mail file that any program may drop: ``##`` lines before the message."""

from __future__ import annotations

from dataclasses import dataclass

from ..clock import parse_rfc3339
from .addresses import parse_addresses, unique
from .compose import parse_sender
from .errors import InvalidMessage
from .lanes import Lane

START = b"##To:"
_KNOWN = ("To", "From", "Lane", "At")


@dataclass(frozen=True)
class MailFile:
    """A mail file taken apart; ``at`` is in seconds since the epoch, None: at once.

    ``content`` is the message, byte for byte as in the file. The addresses in files
    of other programs' queues are not checked yet.
    """

    sender: str
    recipients: tuple[str, ...]
    lane: Lane | None
    at: float | None
    content: bytes


def parse(data: bytes) -> MailFile:
    """Take a mail file apart; InvalidMessage says what is malformed.

    The file starts with ``##To:``. Several such lines are joined, every other ``##``
    line may occur once. ``##From:`` is required; with nothing after it, it means the
    null sender.
    """
    if not data.startswith(START):
        raise InvalidMessage("the file does not start with ##To:")
    lines, content = _split(data)
    values = _values(lines)
    if "From" not in values:
        raise InvalidMessage(
            "no ##From: line; the null sender is written ##From: with nothing after it"
        )
    if not content:
        raise InvalidMessage("no message after the ## lines")
    return MailFile(
        sender=parse_sender(values["From"][0]),
        recipients=_recipients(values["To"]),
        lane=Lane.parse(values["Lane"][0]) if "Lane" in values else None,
        at=_time(values["At"][0]) if "At" in values else None,
        content=content,
    )


def _split(data: bytes) -> tuple[list[bytes], bytes]:
    lines: list[bytes] = []
    position = 0
    while data.startswith(b"##", position):
        end = data.find(b"\n", position)
        if end < 0:
            end = len(data)
        lines.append(data[position + 2 : end].removesuffix(b"\r"))
        position = end + 1
    return lines, data[position:]


def _values(lines: list[bytes]) -> dict[str, list[str]]:
    values: dict[str, list[str]] = {}
    for line in lines:
        name, value = _named(line)
        if name in values and name != "To":
            raise InvalidMessage(f"more than one ##{name}: line")
        values.setdefault(name, []).append(value)
    return values


def _named(line: bytes) -> tuple[str, str]:
    try:
        name, colon, value = line.decode("utf-8").partition(":")
    except UnicodeDecodeError:
        raise InvalidMessage("a ## line that is not UTF-8") from None
    if not colon or name not in _KNOWN:
        known = ", ".join(f"##{name}:" for name in _KNOWN)
        raise InvalidMessage(f"unknown line {'##' + name[:40]!r}; known are {known}")
    return name, value.strip(" \t")


def _recipients(lists: list[str]) -> tuple[str, ...]:
    addresses = unique(
        address for text in lists if text for address in parse_addresses(text)
    )
    if not addresses:
        raise InvalidMessage("no recipient in ##To:")
    return addresses


def _time(text: str) -> float:
    try:
        return parse_rfc3339(text)
    except ValueError as error:
        raise InvalidMessage(f"##At: {error}") from None
