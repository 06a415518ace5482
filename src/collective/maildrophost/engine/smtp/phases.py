"""The phases of an SMTP session, with the time that each may take."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum


class Phase(str, Enum):
    """What is waited for at the moment; each but TOKEN names a field of `Timeouts`.

    TOKEN comes before all others: it is the token endpoint that is asked, not the
    relay, and its time limits stand in tokens/.
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
    minute. One that accepts the connection may be slow, with EHLO as with MAIL. RSET
    and QUIT get little time, as they decide nothing about a message.
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
        """The usual ones, but none longer than `seconds`."""
        return cls(**{name: min(seconds, usual) for name, usual in vars(cls()).items()})

    def seconds(self, phase: Phase) -> float:
        """The time of `phase`, in seconds."""
        return float(getattr(self, phase.value))
