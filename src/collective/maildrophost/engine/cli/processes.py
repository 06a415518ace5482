"""Processes of this machine: whether one lives, what it was started with."""

from __future__ import annotations

import os
from pathlib import Path

from ..system.identity import exists


def lives(pid: int) -> bool:
    """Whether a process with this id runs; a zombie does not."""
    if not exists(pid):
        return False
    try:
        status = Path(f"/proc/{pid}/stat").read_text(encoding="ascii", errors="replace")
    except OSError:
        return True  # no /proc here
    # The state follows the name, which may hold any character (proc(5)).
    return status.rpartition(")")[2].split()[0] not in ("Z", "X")


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
