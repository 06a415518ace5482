"""What came to the server, for a test to look at."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any


@dataclass
class Received:
    """Content that came to its last dot; `answered`: its `reply` has left."""

    sender: str
    recipients: list[str]
    content: bytes
    reply: Any
    time: float
    answered: bool = False


@dataclass
class Conversation:
    """What one connection brought; `commands` without what belongs to a login."""

    opened: float
    commands: list[str] = field(default_factory=list)
    received: list[Received] = field(default_factory=list)
    unfinished: bytes = b""
    login: tuple[str, str] | None = None
    tls: bool = False
    closed: bool = False

    @property
    def verbs(self) -> list[str]:
        return [command.partition(" ")[0].upper() for command in self.commands]
