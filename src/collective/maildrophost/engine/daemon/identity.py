"""Which process this is, so that its death can be seen before its lease ends."""

from __future__ import annotations

import os
from pathlib import Path

PROC = Path("/proc")


def process_identity(pid: int | None = None) -> str:
    """A text that no other process ever has; "" where the system tells nothing.

    Boot, PID namespace, PID and start time: a PID alone is used again, and a container
    with the same host name has PIDs of its own.
    """
    pid = os.getpid() if pid is None else pid
    try:
        return f"{_machine()} {pid} {_start_ticks(pid)}"
    except OSError:
        return ""


def is_gone(identity: str) -> bool:
    """Whether that process has certainly ended; False when it can't be told."""
    try:
        *machine, pid, ticks = identity.split()
        if " ".join(machine) != _machine():
            return False
    except (OSError, ValueError):
        return False
    try:
        return _start_ticks(int(pid)) != int(ticks)
    except FileNotFoundError:
        return True
    except (OSError, ValueError):
        return False


def _machine() -> str:
    boot = (PROC / "sys/kernel/random/boot_id").read_text().strip()
    return f"{boot} {os.readlink(PROC / 'self/ns/pid')}"


def _start_ticks(pid: int) -> int:
    # proc(5): the 22nd field; the second, the name, may contain blanks and brackets.
    text = (PROC / str(pid) / "stat").read_text()
    return int(text.rpartition(")")[2].split()[19])
