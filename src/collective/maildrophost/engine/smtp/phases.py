"""The phases of an SMTP session with the time each may take."""

from __future__ import annotations

from dataclasses import dataclass, fields
from enum import Enum


class Phase(str, Enum):
    """What the relay is asked for at a moment; names the fields of `Timeouts`.

    TOKEN comes before all of them: the provider of the access token is asked, not the
    relay, and what time it has is said in tokens/.
    """

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
    others are ours: a relay that does not answer at all must be noticed in less than a
    minute. One that takes the connection may be slow, to EHLO as to MAIL. RSET and
    QUIT decide nothing about a message.
    """

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

    @classmethod
    def at_most(cls, seconds: float) -> Timeouts:
        """Those of somebody who waits for no answer longer than so many seconds."""
        usual, names = cls(), [each.name for each in fields(cls)]
        return cls(**{name: min(seconds, getattr(usual, name)) for name in names})

    def seconds(self, phase: Phase) -> float:
        """The time of `phase`, in seconds."""
        return float(getattr(self, phase.value))
