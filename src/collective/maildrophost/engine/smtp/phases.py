"""The phases of an SMTP session with the time each may take."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum


class Phase(str, Enum):
    """What the relay is asked for at a moment; names the fields of `Timeouts`."""

    TOKEN = "token"  # noqa: S105
    CONNECT = "connect"
    HANDSHAKE = "handshake"
    GREETING = "greeting"
    EHLO = "ehlo"
    STARTTLS = "starttls"
    AUTH = "auth"
    RSET = "rset"
    MAIL = "mail"
    RCPT = "rcpt"
    DATA = "data"
    CONTENT = "content"
    END = "end"
    QUIT = "quit"

    def __str__(self) -> str:
        return self.value


@dataclass(frozen=True)
class Timeouts:
    """Seconds for one reply of a phase (for CONTENT: for one block of the upload).

    RFC 5321 section 4.5.3.2 sets greeting, mail, rcpt, data, content and end. The
    others are ours: a relay that is down must be noticed in less than a minute, and
    RSET and QUIT decide nothing about a message. TOKEN is not asked of the
    relay: it is the time for an access token from its provider.
    """

    token: float = 35.0
    connect: float = 30.0
    handshake: float = 60.0
    greeting: float = 300.0
    ehlo: float = 300.0
    starttls: float = 120.0
    auth: float = 120.0
    rset: float = 20.0
    mail: float = 300.0
    rcpt: float = 300.0
    data: float = 120.0
    content: float = 180.0
    end: float = 600.0
    quit: float = 5.0

    def seconds(self, phase: Phase) -> float:
        """The time of `phase`, in seconds."""
        return float(getattr(self, phase.value))
