"""A disk that keeps what was synced, and of the rest whatever a power cut left.

A file is an inode with the octets that are safe and the changes that are not. Names are
a table of their own: which of its changes are safe depends on the kind of file system.
"""

from __future__ import annotations

import os
import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path

Files = dict[str, bytes | None]
"""The content of each file; None: a directory."""


class Names(Enum):
    """When a new, changed or removed name is safe."""

    STRICT = "strict"
    """Once its directory was synced: all that POSIX promises."""
    OWN = "own"
    """Once its directory or the file itself was synced, as on btrfs at least.

    PostgreSQL relies on that: it syncs a new table's file, but not its directory.
    """
    JOURNAL = "journal"
    """Once the journal was written after it: ext4 and XFS, which keeps the order.

    fdatasync of a file that has kept its size does not write it.
    """


@dataclass(frozen=True)
class Kept:
    """What is left of the changes that were not synced.

    A change of data is kept with the `chance`, in one piece or, with `sector` octets,
    each sector for itself. Of the names a start of random length is kept.
    """

    chance: float
    sector: int = 0

    def __str__(self) -> str:
        torn = f", torn at {self.sector} octets" if self.sector else ""
        return f"{self.chance:.0%} of what was not synced{torn}"


NOTHING, EVERYTHING = Kept(0.0), Kept(1.0)


@dataclass(frozen=True)
class Write:
    """`data` at `offset`; None: the file ends there."""

    moment: int
    offset: int
    data: bytes | None

    def sectors(self, size: int) -> Iterator[Write]:
        """The parts of it that a disk writes at once."""
        if not size or self.data is None:
            yield self
            return
        start, end = self.offset, self.offset + len(self.data)
        while start < end:
            stop = min(end, (start // size + 1) * size)
            part = self.data[start - self.offset : stop - self.offset]
            yield Write(self.moment, start, part)
            start = stop

    def apply(self, content: bytearray) -> None:
        if self.data is None:
            del content[self.offset :]
        end = self.offset + len(self.data or b"")
        content.extend(bytes(max(0, end - len(content))))
        if self.data is not None:
            content[self.offset : end] = self.data


@dataclass(eq=False)
class Inode:
    """One file, whatever its names."""

    safe: bytearray = field(default_factory=bytearray)
    unsafe: list[Write] = field(default_factory=list)
    size: int = 0
    position: int | None = 0

    def change(self, write: Write) -> None:
        end = write.offset + len(write.data or b"")
        self.size = end if write.data is None else max(self.size, end)
        self.unsafe.append(write)

    def sync(self, before: int) -> bool:
        """All that was written before that moment is safe; whether its size changed."""
        size = len(self.safe)
        for write in self.unsafe:
            if write.moment < before:
                write.apply(self.safe)
        self.unsafe = [write for write in self.unsafe if write.moment >= before]
        return len(self.safe) != size

    def image(self, kept: Kept, dice: random.Random) -> bytes:
        content = bytearray(self.safe)
        for write in self.unsafe:
            for part in write.sectors(kept.sector):
                if dice.random() < kept.chance:
                    part.apply(content)
        return bytes(content)


@dataclass(frozen=True)
class Renaming:
    """Names that come, go or change at once; None: there is no such name any more."""

    moment: int
    names: dict[str, Inode | None]

    @property
    def directories(self) -> set[str]:
        return {os.path.dirname(name) for name in self.names}


DIRECTORY = Inode()
"""Stands for all of them: a directory is nothing but the names in it."""


class Disk:
    """A directory `home` that has these `files`, all safe; see `files_below`."""

    def __init__(self, home: Path, names: Names, files: Files) -> None:
        self._home = str(home)
        self._kind = names
        self.now: dict[str, Inode] = {self._home: DIRECTORY}
        for name, content in files.items():
            self.now[str(home / name)] = (
                DIRECTORY
                if content is None
                else Inode(bytearray(content), size=len(content))
            )
        self._safe = dict(self.now)
        self._unsafe: list[Renaming] = []

    def rename(self, renaming: Renaming) -> None:
        _apply(renaming, self.now)
        self._unsafe.append(renaming)

    def sync(self, path: str, before: int, data_only: bool = False) -> None:
        """`path` was synced by a call that began at `before`."""
        inode = self.now.get(path)
        resized = False
        if inode is not None and inode is not DIRECTORY:
            resized = inode.sync(before)
        written = resized or not data_only
        journal = written and self._kind is Names.JOURNAL
        own = written and self._kind is Names.OWN
        left = []
        for change in self._unsafe:
            named = own and path in change.names
            covered = journal or named or path in change.directories
            if covered and change.moment < before:
                _apply(change, self._safe)
            else:
                left.append(change)
        self._unsafe = left

    def rebuild(self, target: Path, kept: Kept, dice: random.Random) -> None:
        """Write what a power cut at this moment leaves into the directory `target`."""
        names = self._names(kept, dice)
        for name in sorted(names):
            if not self._reachable(name, names):
                continue
            path = target / os.path.relpath(name, self._home)
            if names[name] is DIRECTORY:
                path.mkdir(mode=0o700, exist_ok=True)
            else:
                path.write_bytes(names[name].image(kept, dice))
                path.chmod(0o600)

    def _names(self, kept: Kept, dice: random.Random) -> dict[str, Inode]:
        names = dict(self._safe)
        share = kept.chance if kept in (NOTHING, EVERYTHING) else None
        ends: dict[str, int] = {}
        for number, change in enumerate(self._unsafe):
            # Names of one directory keep their order; on a journal all do.
            journal = self._kind is Names.JOURNAL
            for directory in {""} if journal else change.directories:
                chance = dice.random() if share is None else share
                ends.setdefault(directory, round(chance * len(self._unsafe)))
                if number >= ends[directory]:
                    break
            else:
                _apply(change, names)
        return names

    def _reachable(self, name: str, names: dict[str, Inode]) -> bool:
        while name != self._home:
            name = os.path.dirname(name)
            if names.get(name) is not DIRECTORY:
                return False
        return True


def files_below(home: Path) -> Files:
    """What is there, by its path below `home`."""
    return {
        str(path.relative_to(home)): path.read_bytes() if path.is_file() else None
        for path in home.rglob("*")
        if path.is_file() or path.is_dir()
    }


def _apply(change: Renaming, names: dict[str, Inode]) -> None:
    for name, inode in change.names.items():
        if inode is None:
            names.pop(name, None)
        else:
            names[name] = inode
