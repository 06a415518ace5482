"""The calls of a trace, done to a disk."""

from __future__ import annotations

import os
from pathlib import Path

from proof.powercut.calls import Call
from proof.powercut.disk import DIRECTORY, Disk, Inode, Renaming, Write


class Unmodelled(AssertionError):
    """A call that the disk knows nothing of: what it leaves cannot be told."""


class Replay:
    """Does one call after the other to `disk`; `left_out`: ends of names."""

    def __init__(self, disk: Disk, home: Path, left_out: tuple[str, ...] = ()) -> None:
        self._disk = disk
        self._home = str(home) + "/"
        self._left_out = left_out

    def do(self, call: Call) -> None:
        if call.result is None:
            return
        method = getattr(self, f"_{_MEANINGS.get(call.name, call.name)}", None)
        if method is not None:
            method(call)
        elif call.name not in _HARMLESS and any(map(self._ours, _named(call))):
            raise _unmodelled(call)

    def _ours(self, path: str | None) -> bool:
        return (
            path is not None
            and path.startswith(self._home)
            and not path.endswith(self._left_out)
        )

    def _inode(self, call: Call) -> Inode | None:
        return self._disk.now.get(call.file or "") if self._ours(call.file) else None

    def _open(self, call: Call) -> None:
        path = call.paths[0]
        if not self._ours(path):
            return
        inode = self._disk.now.get(path)
        if inode is None and "O_CREAT" in call.arguments:
            inode = Inode()
            self._disk.rename(Renaming(call.ended, {path: inode}))
        if inode is None or inode is DIRECTORY or "O_RDONLY" in call.arguments:
            return
        if "O_TRUNC" in call.arguments and inode.size:
            inode.change(Write(call.ended, 0, None))
        # One writer at a time without O_APPEND: the end of every proof compares.
        inode.position = None if "O_APPEND" in call.arguments else 0

    def _pwrite64(self, call: Call) -> None:
        inode = self._inode(call)
        if inode is not None:
            data = b"".join(call.strings)[: call.result]
            inode.change(Write(call.ended, call.numbers[-1], data))

    def _write(self, call: Call) -> None:
        inode = self._inode(call)
        if inode is not None:
            offset = inode.size if inode.position is None else inode.position
            data = b"".join(call.strings)[: call.result]
            inode.change(Write(call.ended, offset, data))
            if inode.position is not None:
                inode.position += len(data)

    def _lseek(self, call: Call) -> None:
        inode = self._inode(call)
        if inode is not None and inode.position is not None:
            inode.position = call.result

    def _ftruncate(self, call: Call) -> None:
        inode = self._inode(call)
        if inode is not None:
            inode.change(Write(call.ended, call.numbers[-1], None))

    def _truncate(self, call: Call) -> None:
        path = call.paths[0]
        if self._ours(path):
            self._disk.now[path].change(Write(call.ended, call.numbers[-1], None))

    def _fallocate(self, call: Call) -> None:
        inode = self._inode(call)
        if inode is not None:
            offset, length = call.numbers[-2:]
            if offset + length > inode.size:
                inode.change(Write(call.ended, offset + length, b""))

    def _rename(self, call: Call) -> None:
        old, new = call.paths[-2:]
        if self._ours(old) and old in self._disk.now:
            inode = self._disk.now[old]
            if inode is DIRECTORY or not self._ours(new):
                raise Unmodelled(f"{old} became {new}")
            self._disk.rename(Renaming(call.ended, {old: None, new: inode}))

    def _link(self, call: Call) -> None:
        old, new = call.paths[-2:]
        if self._ours(new) and old in self._disk.now:
            self._disk.rename(Renaming(call.ended, {new: self._disk.now[old]}))

    def _symlink(self, call: Call) -> None:
        # One from elsewhere, to bind a socket by, leaves what it leads to as it is.
        if self._ours(call.paths[-1]):
            raise _unmodelled(call)

    def _unlink(self, call: Call) -> None:
        path = call.paths[-1]
        if path in self._disk.now and self._ours(path):
            self._disk.rename(Renaming(call.ended, {path: None}))

    def _mkdir(self, call: Call) -> None:
        path = call.paths[-1]
        if self._ours(path):
            self._disk.rename(Renaming(call.ended, {path: DIRECTORY}))

    def _fsync(self, call: Call) -> None:
        # What was written while it ran may or may not be on disk.
        if self._ours(call.file) or f"{call.file}/" == self._home:
            data_only = call.name == "fdatasync"
            self._disk.sync(call.file or "", call.began, data_only)


def _unmodelled(call: Call) -> Unmodelled:
    return Unmodelled(f"{call.name}({call.arguments[:200]})")


_MEANINGS = {
    "openat": "open",
    "creat": "open",
    "writev": "write",
    "pwritev": "pwrite64",
    "renameat": "rename",
    "renameat2": "rename",
    "linkat": "link",
    "symlinkat": "symlink",
    "unlinkat": "unlink",
    "mkdirat": "mkdir",
    "rmdir": "unlink",
    "fdatasync": "fsync",
}
# A start of writing back is no promise.
_HARMLESS = frozenset({"sync_file_range", "sendto", "sendmsg", "recvfrom", "msync"})


def _named(call: Call) -> list[str | None]:
    return [call.file, *(path for path in call.paths if os.path.isabs(path))]
