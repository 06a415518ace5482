"""Processes of this machine: whether one lives, what it was started with."""

from __future__ import annotations

import os
from pathlib import Path

from ..system.identity import exists, is_zombie


def lives(pid: int) -> bool:
    """Whether a process with this id runs; a zombie does not."""
    try:
        return exists(pid) and not is_zombie(pid)
    except OSError:
        return True  # no /proc here


def arguments(pid: int) -> list[str]:
    """The words that the process was started with; none where that cannot be read."""
    try:
        text = os.fsdecode(Path(f"/proc/{pid}/cmdline").read_bytes())
    except OSError:
        return []
    return text.split("\0")


def environment(pid: int) -> dict[str, str]:
    """The variables it was started with; none where that cannot be read."""
    try:
        text = os.fsdecode(Path(f"/proc/{pid}/environ").read_bytes())
    except OSError:
        return {}
    pairs = (entry.partition("=") for entry in text.split("\0"))
    return {name: value for name, _, value in pairs if name}
