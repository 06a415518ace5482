"""A mail as another program left it: its files, what became of it there."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from ..message import Lane


@dataclass(frozen=True)
class Opened:
    """The envelope and the message of an old mail; nothing in it is checked yet."""

    sender: str
    recipients: str | tuple[str, ...]
    content: bytes
    lane: Lane | None = None
    at: float | None = None


@dataclass(frozen=True)
class OldMail:
    """One mail in an old queue.

    Any of `files` has all of it; taken over, all of them go, the first one first. `key`
    makes of its bytes what is the same each time that it is found; `open` takes them
    apart, or raises InvalidMessage. `failed` says why it failed there, "": it waits.
    """

    key: Callable[[bytes], str]
    files: tuple[Path, ...]
    open: Callable[[bytes], Opened]
    failed: str = ""
    possible_duplicate: bool = False

    @property
    def path(self) -> Path:
        """The file to read, and to name."""
        return self.files[0]


@dataclass(frozen=True)
class Taken:
    """A mail that is in our queue; `id` None: since an earlier run.

    `stays` is a file that should have gone.
    """

    id: str | None
    stays: Left | None = None


@dataclass(frozen=True)
class Left:
    """A file that stays where it is, with the reason for a person."""

    path: Path
    reason: str
