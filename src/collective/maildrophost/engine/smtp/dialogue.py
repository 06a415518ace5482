"""What both sides say, as lines for the log: with neither credentials nor mail."""

from __future__ import annotations

from collections.abc import Iterator

from .phases import Phase
from .replies import Reply
from .steps import Send, StartTls, Step


def before(step: Step) -> Iterator[str]:
    """What the relay is told in this step."""
    if isinstance(step, StartTls):
        yield "= the TLS handshake begins"
    elif isinstance(step, Send):
        yield from (f"> {line}" for line in _told(step))


def after(answer: object) -> Iterator[str]:
    """What the relay has said, if the step waited for a reply."""
    if isinstance(answer, Reply):
        # The credentials are not in it, even when the relay repeats them.
        yield f"< {answer}"


def _told(step: Send) -> Iterator[str]:
    if step.phase is Phase.CONTENT:
        yield f"({len(step.data)} octets of the message)"
    elif step.phase is Phase.AUTH:
        yield _without_credentials(step.data)
    else:
        yield from step.data.decode("utf-8", "backslashreplace").splitlines()


def _without_credentials(command: bytes) -> str:
    words = command.split()
    if words[:1] == [b"AUTH"] and len(words) > 1:
        return f"AUTH {words[1].decode('ascii', 'replace')} (credentials)"
    return "(credentials)"
