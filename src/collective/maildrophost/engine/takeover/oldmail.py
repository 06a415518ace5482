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

    Each of `files` has all of it; once it is taken over, all are removed in this order.
    `found` is the status of the first one when it was found, at `seen` (monotonic): a
    file of that name with another status is another mail. `key` makes of the mail's
    bytes a key that is the same in every run; `open` parses them, or raises
    InvalidMessage. `failed` says why it failed there; "": it waits.
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

    `stays` is a file that could not be removed.
    """

    id: str | None
    stays: Left | None = None


@dataclass(frozen=True)
class Left:
    """A file or a whole directory that stays where it is; why, for a person."""

    path: Path
    reason: str


def found_at(path: Path) -> os.stat_result | None:
    """The status of a file; None when it has just gone: its own program has sent it."""
    try:
        return path.lstat()
    except FileNotFoundError:
        return None
