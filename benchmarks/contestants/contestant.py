"""What the measuring needs to know of a contestant, who delivers mail."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol


@dataclass(frozen=True)
class Awake:
    """A daemon that runs already."""

    root: int
    """The process that works, with its children."""
    idle: Callable[[], bool]
    """Whether its queue is empty; asked often."""


@dataclass(frozen=True)
class Job:
    """A full queue, and the command that has it delivered."""

    command: tuple[str, ...]
    left: Callable[[], int]
    """How many messages are still in the queue."""
    environment: Mapping[str, str] | None = None
    daemon: Awake | None = None
    """What delivers, where the command only tells it to."""


class Contestant(Protocol):
    """Delivers a queue."""

    @property
    def name(self) -> str:
        """What the table calls it."""

    def job(self, folder: Path, port: int, count: int) -> AbstractContextManager[Job]:
        """A queue of `count` messages in `folder`, for the relay 127.0.0.1:`port`.

        What runs for it stops at the end.
        """
