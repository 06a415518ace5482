"""Wake a daemon at once when mail was queued; never a promise, only a short cut.

A unix datagram socket in the daemon's var directory. A ring that gets lost costs
nothing but time: the daemon looks by itself after MAILDROP_INTERVAL.
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
    """A doorbell, readable when somebody rang; `path` tells whose it is."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.setblocking(False)

    def hang(self) -> None:
        """Be found by who rings; OSError when `path` is taken, or cannot be."""
        with socket_address(self.path) as address:
            old_mask = os.umask(0o177)
            try:
                self._socket.bind(address)
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
        with contextlib.suppress(OSError):
            self.path.unlink()


def listen(directory: Path) -> Doorbell:
    """A doorbell of this process in `directory`.

    One that nobody finds where none can be made, which a warning tells.
    """
    # No PID: in containers that share the directory each daemon has the same one, and
    # one that ends would take the name of its successor away.
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
    """Take away what killed daemons have left behind."""
    for path in directory.glob(f"{NAME}.*"):
        if is_dead(str(path)):
            with contextlib.suppress(OSError):
                path.unlink()


def is_dead(path: str) -> bool:
    """Whether who listened at a doorbell has been killed; False: nobody can tell."""
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
    with (
        socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as caller,
        socket_address(Path(path)) as address,
    ):
        caller.connect(address)


def ring(paths: Iterable[str]) -> None:
    """Ring; never waits, never raises: a full or dead doorbell needs no ring."""
    for path in paths:
        with (
            contextlib.suppress(OSError),
            socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as bell,
        ):
            bell.setblocking(False)
            with socket_address(Path(path)) as address:
                bell.sendto(b"!", address)
