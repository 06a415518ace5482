"""SMTP replies made out of bytes, however the network split or joined them."""

# Rules of this file (RFC 5321 section 4.2):
# - A reply is one or more lines of three digits; "-" after them means more follow.
# - All lines of a reply carry the same code. Anything else is malformed: a client that
#   guesses here pairs every later reply with the wrong command.
# - A bare LF ends a line as well as CRLF does; a code without text is a reply.
# - Nothing a relay sends makes us keep more than MAX_UNREAD_OCTETS.
# - What the relay was told in confidence is hidden where it repeats it: its words go
#   into the log, the queue and notifications to the sender.

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

from ..oneline import printable
from ..secrets.masking import hide

MAX_REPLY_LINE_OCTETS = 4096  # RFC 5321 allows 512; real relays exceed it.
MAX_REPLY_LINES = 256
MAX_UNREAD_OCTETS = 4 * 1024 * 1024
MAX_TEXT_CHARACTERS = 1000

_LINE = re.compile(rb"([2-5][0-9][0-9])(?:([ -])(.*))?", re.DOTALL)
_ENHANCED = re.compile(r"[245]\.[0-9]{1,3}\.[0-9]{1,3}(?= |$)")


class MalformedReply(Exception):
    """The relay sent something that is no SMTP reply, or too much of it."""


@dataclass(frozen=True, slots=True)
class Reply:
    """One reply: its code with the text of its lines, made printable."""

    code: int
    lines: tuple[str, ...]

    @property
    def positive(self) -> bool:
        return 200 <= self.code <= 299

    @property
    def intermediate(self) -> bool:
        return 300 <= self.code <= 399

    @property
    def transient(self) -> bool:
        return 400 <= self.code <= 499

    @property
    def permanent(self) -> bool:
        return 500 <= self.code <= 599

    @property
    def enhanced(self) -> str:
        """The enhanced status (RFC 3463) such as "5.1.1", or ""."""
        found = _ENHANCED.match(self.lines[0])
        return found.group() if found else ""

    def __str__(self) -> str:
        enhanced = self.enhanced
        # RFC 2034 repeats the enhanced status on every line; a person needs it once.
        rest = (line.removeprefix(enhanced).strip() for line in self.lines[1:])
        text = " ".join(part for part in (self.lines[0].strip(), *rest) if part)
        return f"{self.code} {text}".rstrip()[:MAX_TEXT_CHARACTERS]


class Replies:
    """What the relay has said so far: `feed` bytes, `take` replies.

    `confidential` is what no text that leaves here may show.
    """

    def __init__(self) -> None:
        self.confidential: tuple[str, ...] = ()
        self._unread = bytearray()
        self._code = 0
        self._lines: list[str] = []
        self._overrun = False

    @property
    def pending(self) -> bool:
        """Whether anything was said that is not taken yet, half a line included."""
        return bool(self._unread or self._lines)

    def feed(self, data: bytes) -> None:
        """Add what came from the relay."""
        if len(self._unread) + len(data) > MAX_UNREAD_OCTETS:
            self._overrun = True
        else:
            self._unread += data

    def take(self) -> Reply | None:
        """The next reply, None before it is all there; MalformedReply if it is none."""
        if self._overrun:
            raise MalformedReply("the relay sends more than anybody asked for")
        while (line := self._next_line()) is not None:
            if self._read_line(line):
                return self._finish()
        return None

    def _next_line(self) -> bytes | None:
        end = self._unread.find(b"\n", 0, MAX_REPLY_LINE_OCTETS)
        if end < 0:
            if len(self._unread) >= MAX_REPLY_LINE_OCTETS:
                raise MalformedReply("the relay sent an endless line")
            return None
        line = bytes(self._unread[:end])
        del self._unread[: end + 1]
        return line.removesuffix(b"\r")

    def _read_line(self, line: bytes) -> bool:
        """Whether `line` is the last one of its reply."""
        code, last, text = _read(line, self.confidential)
        if self._lines and code != self._code:
            raise MalformedReply(f"the relay mixed {self._code} and {code} in a reply")
        if len(self._lines) >= MAX_REPLY_LINES:
            raise MalformedReply("the relay sent an endless reply")
        self._code = code
        self._lines.append(text)
        return last

    def _finish(self) -> Reply:
        reply = Reply(self._code, tuple(self._lines))
        self._lines.clear()
        return reply


@lru_cache(maxsize=64)
def _read(line: bytes, confidential: tuple[str, ...]) -> tuple[int, bool, str]:
    """Code, whether the line ends its reply, text. Relays repeat themselves all day."""
    match = _LINE.fullmatch(line)
    if match is None:
        words = _text(line, confidential)
        raise MalformedReply(f"the relay sent no SMTP reply: {words}")
    digits, separator, text = match.groups()
    return int(digits), separator != b"-", _text(text or b"", confidential)


def _text(octets: bytes, confidential: tuple[str, ...]) -> str:
    # Hidden before the text is cut: the first half of a secret must not be left.
    text = hide(octets.decode("utf-8", "replace"), confidential)
    return printable(text[:MAX_TEXT_CHARACTERS])
