"""Wake a daemon at once when mail was queued; never a promise, only a short cut.

A unix datagram socket in the daemon's var directory. A ring that gets lost costs
nothing but time: the daemon looks by itself after MAILDROP_INTERVAL.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import secrets
import socket
from collections.abc import Iterable
from pathlib import Path

NAME = "doorbell"
LONGEST_PATH_BYTES = 100
"""What fits into sockaddr_un everywhere (104 on the BSDs with macOS, 108 on Linux)."""

TEMPORARY = Path("/tmp")  # noqa: S108  what is made there is private, see below


def socket_path(directory: Path, name: str) -> Path:
    """Where to bind a socket that belongs in `directory`, short enough for the system.

    A deep directory gets a private stand-in among the temporary files, the same one
    each time and whatever TMPDIR says: a login may have another one than cron.
    """
    path = directory / name
    if len(os.fsencode(path)) <= LONGEST_PATH_BYTES:
        return path
    digest = hashlib.sha256(os.fsencode(directory.resolve())).hexdigest()[:16]
    short = TEMPORARY / f"maildrop-{os.getuid()}-{digest}"
    short.mkdir(mode=0o700, exist_ok=True)
    found = short.lstat()
    if short.is_symlink() or found.st_uid != os.getuid() or found.st_mode & 0o077:
        raise OSError(f"{short} is not a private directory of this user: remove it")
    return short / name


class Doorbell:
    """A bound doorbell; readable when somebody rang. OSError when `path` is taken."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.setblocking(False)
        old_mask = os.umask(0o177)
        try:
            self._socket.bind(str(path))
        finally:
            os.umask(old_mask)

    def fileno(self) -> int:
        """For an event loop to watch."""
        return self._socket.fileno()

    def drain(self) -> None:
        """Forget every ring so far."""
        with contextlib.suppress(BlockingIOError):
            while True:
                self._socket.recv(16)

    def close(self) -> None:
        """Listen no more, remove the socket file."""
        self._socket.close()
        self.path.unlink(missing_ok=True)


def listen(directory: Path) -> Doorbell:
    """A doorbell of this process in `directory`; OSError when that can't be."""
    # No PID: in containers that share the directory each daemon has the same one, and
    # one that ends would take the name of its successor away.
    bell = Doorbell(socket_path(directory, f"{NAME}.{secrets.token_hex(3)}"))
    _remove_dead(bell.path.parent)
    return bell


def _remove_dead(directory: Path) -> None:
    """Take away what killed daemons have left behind."""
    for path in directory.glob(f"{NAME}.*"):
        with (
            contextlib.suppress(OSError),
            socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as caller,
        ):
            try:
                caller.connect(str(path))
            except ConnectionRefusedError:
                path.unlink()


def ring(paths: Iterable[str]) -> None:
    """Ring; never waits, never raises: a full or dead doorbell needs no ring."""
    for path in paths:
        with (
            contextlib.suppress(OSError),
            socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as bell,
        ):
            bell.setblocking(False)
            bell.sendto(b"!", path)
