"""A mail as another program left it: its files, what became of it there."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from ..intake.droppedfile import is_still
from ..message.mailfile import MailFile


@dataclass(frozen=True)
class OldMail:
    """One mail in an old queue.

    Any of `files` has all of it; taken over, all of them go, the first one first.
    `found` is what the first one was when it was found, at `seen` (monotonic): another
    one with its name is another mail. `key` makes of its bytes what is the same each
    time that it is found; `open` takes them apart, or raises InvalidMessage. `failed`
    says why it failed there, "": it waits.
    """

    key: Callable[[bytes], str]
    files: tuple[Path, ...]
    found: os.stat_result
    seen: float
    open: Callable[[bytes], MailFile]
    failed: str = ""
    possible_duplicate: bool = False

    @property
    def path(self) -> Path:
        """The file to read, and to name."""
        return self.files[0]

    @property
    def unchanged(self) -> bool:
        """Whether it still is as it was found; FileNotFoundError when it is gone."""
        return is_still(str(self.path), self.found)


@dataclass(frozen=True)
class Taken:
    """A mail that is in our queue; `id` None: since an earlier run.

    `stays` is a file that should have gone.
    """

    id: str | None
    stays: Left | None = None


@dataclass(frozen=True)
class Left:
    """What stays where it is, a file or all of a directory; the reason for a person."""

    path: Path
    reason: str


def found_at(path: Path) -> os.stat_result | None:
    """What is at `path`; None when it has just gone: its own program has sent it."""
    try:
        return path.lstat()
    except FileNotFoundError:
        return None
