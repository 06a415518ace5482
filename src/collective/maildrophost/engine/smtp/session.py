"""The state of one SMTP session."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from .capabilities import HELO_ONLY, Capabilities
from .phases import Phase
from .replies import Replies, Reply
from .steps import Broken, CutShort, OutOfTurn, Send, ServiceClosing, Steps, expect

if TYPE_CHECKING:
    from ..config import RelayAddress


@dataclass
class Session:
    """`loopback`: the peer is this machine. `served`: how many transactions it did.

    `reset_due`: a transaction was begun and not ended, so RSET comes before the next.
    """

    relay: RelayAddress
    loopback: bool = False
    encrypted: bool = False
    capabilities: Capabilities = HELO_ONLY
    replies: Replies = field(default_factory=Replies)
    served: int = 0
    reset_due: bool = False

    def send(self, data: bytes, phase: Phase) -> Steps[None]:
        """Write commands, after making sure that every earlier reply was read.

        A reply that nobody asked for would be taken for the answer to what is sent
        now, and a refusal could count as an acceptance.
        """
        if self.replies.pending:
            try:
                reply = yield from expect(phase)
            except (CutShort, ServiceClosing):
                raise
            except Broken as broken:
                raise OutOfTurn(phase, broken.reason) from None
            raise OutOfTurn(phase, f"the relay spoke out of turn: {reply}")
        yield Send(data, phase)

    def ask(self, command: bytes, phase: Phase) -> Steps[Reply]:
        """The reply to a command that goes alone."""
        yield from self.send(command, phase)
        return (yield from expect(phase))

    def quit(self) -> Steps[None]:
        """What the relay makes of QUIT changes nothing (RFC 5321 section 4.1.1.10)."""
        with suppress(Broken):
            yield from self.ask(b"QUIT\r\n", Phase.QUIT)


def line(text: str) -> bytes:
    """One command line; ValueError for control characters, line breaks above all.

    The last check before the wire: with a line break that got through here, a stranger
    could give commands to the relay.
    """
    if not text.isprintable():
        raise ValueError("a command with control characters is never sent")
    return text.encode("utf-8") + b"\r\n"
