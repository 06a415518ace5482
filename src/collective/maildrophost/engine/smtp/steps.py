"""The steps that a procedure asks of whoever drives it."""

# Rules of this file:
# - A procedure is a generator. It yields steps, is sent their answers and returns its
#   result. It knows no socket and no clock, so that every byte can be tested.
# - Whoever drives it performs one step at a time and throws `Broken` into it when a
#   step cannot be performed. Nothing else is ever thrown into it on purpose.

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass, field
from typing import Any, TypeAlias, TypeVar

from .phases import Phase
from .replies import Reply


@dataclass(frozen=True, slots=True)
class Send:
    """Write `data`. Answer: whether all of it left before the relay said anything."""

    # Not in the repr: these bytes may hold a password.
    data: bytes = field(repr=False)
    phase: Phase


@dataclass(frozen=True, slots=True)
class Expect:
    """Wait for a reply. Answer: the `Reply`."""

    phase: Phase


@dataclass(frozen=True, slots=True)
class StartTls:
    """Perform the TLS handshake on this connection. Answer: None."""

    verify: bool


Step: TypeAlias = Send | Expect | StartTls
Value = TypeVar("Value")
Steps: TypeAlias = Generator[Step, Any, Value]


class Broken(Exception):
    """The conversation cannot go on: dropped, silent too long, or no SMTP.

    `reason` is one printable line.
    """

    def __init__(self, phase: Phase, reason: str) -> None:
        super().__init__(f"{phase}: {reason}")
        self.phase = phase
        self.reason = reason


class Silent(Broken):
    """The relay said nothing for too long."""


class Stranded(Broken):
    """The connection ended, and the last of what was written had never left."""


class CutShort(Broken):
    """This side ends the conversation, and nothing of it counts with the relay."""


class OutOfTurn(Broken):
    """The relay said something that nobody had asked for."""


class ServiceClosing(Broken):
    """The relay said 421: it closes the session, and this reply accepts nothing."""


def expect(phase: Phase) -> Steps[Reply]:
    """The reply in `phase`; `ServiceClosing` for 421, which may come at any time."""
    reply: Reply = yield Expect(phase)
    if reply.code == 421:
        raise ServiceClosing(phase, str(reply))
    return reply
