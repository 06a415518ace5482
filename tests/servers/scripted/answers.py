"""What a server may do instead of a proper reply."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Raw:
    """Exactly these bytes instead of a reply; no TLS handshake follows them."""

    data: bytes


@dataclass(frozen=True)
class Pieces:
    """These bytes one write after the other; an event waits until it is set."""

    parts: tuple[bytes | threading.Event, ...]


@dataclass(frozen=True)
class Endless:
    """These bytes again and again, until the client has had enough."""

    data: bytes


@dataclass(frozen=True)
class Drop:
    """These bytes, then the end of the connection; `reset`: by RST instead of FIN."""

    data: bytes = b""
    reset: bool = False


@dataclass(frozen=True)
class Hang:
    """No answer, as long as the connection lasts."""


@dataclass(frozen=True)
class Late:
    """The answer after `event` is set."""

    event: threading.Event
    answer: Any


def said(answer: Any) -> str:
    """The reply that a client hears in the end, "" when it is none."""
    if isinstance(answer, Pieces):
        parts = [part for part in answer.parts if isinstance(part, bytes)]
        return b"".join(parts).decode("ascii", "replace")
    return answer if isinstance(answer, str) else ""
