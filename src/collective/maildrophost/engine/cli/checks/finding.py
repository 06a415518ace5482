"""One line of a check."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum


class Level(str, Enum):
    """How bad it is; only `FAILED` makes the whole check fail."""

    OK = "ok"
    WARNING = "warning"
    FAILED = "failed"


@dataclass(frozen=True)
class Finding:
    """What was looked at, and found; `text` says what to do unless all is well."""

    subject: str
    level: Level
    text: str

    def as_json(self) -> dict[str, str]:
        """The finding as `check --json` shows it."""
        return {
            "subject": self.subject,
            "level": self.level.value,
            "text": self.text,
        }


def ok(subject: str, text: str) -> Finding:
    """All is well."""
    return Finding(subject, Level.OK, text)


def warning(subject: str, text: str) -> Finding:
    """Mail moves, but somebody should look at it."""
    return Finding(subject, Level.WARNING, text)


def failed(subject: str, text: str) -> Finding:
    """Mail does not move, or a secret is not safe."""
    return Finding(subject, Level.FAILED, text)
