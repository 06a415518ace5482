"""Processes of this machine: whether one lives, what started it, a signal to it."""

from __future__ import annotations

import os
from pathlib import Path

from ..errors import MaildropError
from ..system.identity import exists, is_zombie


class OfAnotherUser(MaildropError):
    """The process belongs to somebody else: no signal may be sent to it."""

    def __init__(self, pid: int) -> None:
        super().__init__(
            f"pid {pid} belongs to another user: run this command as that user"
        )


def lives(pid: int) -> bool:
    """Whether a process with this id runs; a zombie does not."""
    try:
        return exists(pid) and not is_zombie(pid)
    except OSError:
        return True  # no /proc here


def arguments(pid: int) -> list[str]:
    """The words that the process was started with; none where that cannot be read."""
    return _texts(pid, "cmdline")


def environment(pid: int) -> list[str]:
    """Each ``NAME=value`` it was started with; none where that cannot be read."""
    return _texts(pid, "environ")


def _texts(pid: int, name: str) -> list[str]:
    try:
        text = os.fsdecode(Path(f"/proc/{pid}/{name}").read_bytes())
    except OSError:
        return []
    return text.split("\0")


def send_signal(pid: int, number: int) -> None:
    """Send a signal, even if the process has just ended; raises OfAnotherUser.

    With 0 nothing is sent: it only tells whether anything could be.
    """
    try:
        os.kill(pid, number)
    except PermissionError:
        raise OfAnotherUser(pid) from None
    except ProcessLookupError:
        pass  # it has just ended by itself
