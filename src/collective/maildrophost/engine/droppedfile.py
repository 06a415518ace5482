"""Which file a dropped file is, and whether that very one is still there."""

from __future__ import annotations

import contextlib
import os
from dataclasses import dataclass

from .reports import storable


@dataclass(frozen=True)
class Identity:
    """What makes a file this very file: taken again it would be the same mail."""

    path: str
    inode: int
    size: int
    changed_ns: int

    @classmethod
    def of(cls, path: str, found: os.stat_result) -> Identity:
        """From a stat of the file."""
        return cls(path, found.st_ino, found.st_size, found.st_mtime_ns)

    @property
    def key(self) -> str:
        """For the queue's record of taken files."""
        return f"{storable(self.path)}\n{self.inode} {self.size} {self.changed_ns}"


def condition(path: str, found: os.stat_result) -> tuple[Identity, int]:
    """What a report is about: with other permissions a file is another matter."""
    return Identity.of(path, found), found.st_ctime_ns


def is_still(path: str, found: os.stat_result) -> bool:
    """Whether the very file is there, as it was."""
    return condition(path, os.lstat(path)) == condition(path, found)


def is_gone(kept: Identity, device: int) -> bool:
    """Whether a file was removed; not where its file system may come back with it."""
    try:
        return Identity.of(kept.path, os.lstat(kept.path)) != kept
    except FileNotFoundError:
        with contextlib.suppress(OSError):
            return os.stat(os.path.dirname(kept.path)).st_dev == device
    except OSError:
        pass
    return False
