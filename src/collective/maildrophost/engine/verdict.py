"""What became of one recipient in one attempt."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum


class Outcome(str, Enum):
    """The three ends of an attempt for one recipient."""

    SENT = "sent"
    DEFERRED = "deferred"
    FAILED = "failed"


@dataclass(frozen=True)
class Verdict:
    """One recipient's outcome with the words that explain it.

    ``reply`` is a single printable line: the relay's reply ("250 2.0.0 Ok") or, where
    the relay said nothing, what happened instead.
    """

    outcome: Outcome
    reply: str
