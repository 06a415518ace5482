"""Wakes a daemon at once when mail was queued; never a promise, only a short cut.

A unix datagram socket in the daemon's var directory. A lost ring costs nothing but
time: the daemon looks by itself after MAILDROP_INTERVAL.
"""

from __future__ import annotations

import contextlib
import logging
import os
import secrets
import socket
from collections.abc import Iterable
from pathlib import Path

from .system.socketaddress import socket_address

log = logging.getLogger("maildrop.daemon")

NAME = "doorbell"


class Doorbell:
    """A doorbell, readable once somebody has rung; whoever rings needs its `path`."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._socket = _datagram_socket()
        self._file: os.stat_result | None = None

    def hangs(self) -> bool:
        """Whether those who ring find it, as far as that can be told."""
        try:
            found = os.stat(self.path)
        except (FileNotFoundError, NotADirectoryError):
            return False
        except OSError:
            return True
        return self._file is not None and os.path.samestat(found, self._file)

    def hang(self) -> None:
        """Put it where others find it; OSError when `path` is in use or unusable."""
        with socket_address(self.path) as address:
            old_mask = os.umask(0o177)
            try:
                self._socket.bind(address)
            finally:
                os.umask(old_mask)
        self._file = os.stat(self.path)

    def hang_again(self) -> None:
        """Replace what is at `path` now; `fileno` changes. OSError as with `hang`."""
        with contextlib.suppress(FileNotFoundError):
            self.path.unlink()
        # The new one first: where there is none (too many files are open), the old one
        # still has a `fileno`.
        old, self._socket, self._file = self._socket, _datagram_socket(), None
        old.close()
        self.hang()

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
        with contextlib.suppress(OSError):
            self.path.unlink()


def _datagram_socket() -> socket.socket:
    made = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    made.setblocking(False)
    return made


def listen(directory: Path) -> Doorbell:
    """A doorbell of this process in `directory`.

    Where none can be hung, a warning says so, and nobody finds the one returned.
    """
    # No pid in its name: daemons in containers that share the directory may all have
    # the same one, and a daemon that ends would remove its successor's socket.
    bell = Doorbell(directory / f"{NAME}.{secrets.token_hex(3)}")
    try:
        bell.hang()
    except OSError as error:
        log.warning(
            "no doorbell can be made in %s (%s): new mail may have to wait for "
            "MAILDROP_INTERVAL",
            directory,
            error.strerror or error,
        )
    _remove_dead(directory)
    return bell


def _remove_dead(directory: Path) -> None:
    """Remove what killed daemons have left behind."""
    for path in directory.glob(f"{NAME}.*"):
        if is_dead(str(path)):
            with contextlib.suppress(OSError):
                path.unlink()


def is_dead(path: str) -> bool:
    """Whether the daemon of a doorbell was killed; False also when nobody can tell."""
    try:
        _call(path)
    except ConnectionRefusedError:
        return True
    except OSError:
        pass
    return False


def answers(path: str) -> bool:
    """Whether somebody listens at a doorbell."""
    try:
        _call(path)
    except OSError:
        return False
    return True


def _call(path: str) -> None:
    with _datagram_socket() as caller, socket_address(Path(path)) as address:
        caller.connect(address)


def ring(paths: Iterable[str]) -> None:
    """Ring each; never waits, never raises: a full or dead doorbell needs no ring."""
    for path in paths:
        with (
            contextlib.suppress(OSError),
            _datagram_socket() as caller,
            socket_address(Path(path)) as address,
        ):
            caller.sendto(b"!", address)
