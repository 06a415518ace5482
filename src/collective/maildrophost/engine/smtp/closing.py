"""The polite end of a session."""

from __future__ import annotations

from contextlib import suppress

from .phases import Phase
from .session import Session
from .steps import Broken, Steps, expect


def close_session(session: Session) -> Steps[None]:
    """QUIT; what the relay makes of it changes nothing (RFC 5321 section 4.1.1.10)."""
    with suppress(Broken):
        yield from session.send(b"QUIT\r\n", Phase.QUIT)
        yield from expect(Phase.QUIT)
