"""Which process this is, so that its death can be seen before its lease ends."""

from __future__ import annotations

import os
from enum import Enum
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


def own_identity() -> str:
    """The identity of this process, read once; a forked child reads its own."""
    global _own
    pid, own = _own
    if pid != os.getpid():
        pid = os.getpid()
        own = process_identity(pid)
        # Both in one step: threads may ask at the same time.
        _own = pid, own
    return own


_own = (0, "")
"""The PID of the process that has read its identity, and that identity."""


class Fate(Enum):
    """What has become of a process, as far as this one can tell."""

    RUNNING = "running"
    ENDED = "ended"
    UNKNOWN = "unknown"
    """On another machine, in another container, or before this boot."""


def fate(identity: str, here: bool = False) -> Fate:
    """What has become of the process with this `identity`.

    `here`: it can have run on this machine only, so that another boot has ended it.
    """
    try:
        boot, namespace, pid, ticks = identity.split()
        if f"{boot} {namespace}" != _machine():
            ended = here and boot != _machine().split()[0]
            return Fate.ENDED if ended else Fate.UNKNOWN
    except (OSError, ValueError):
        return Fate.UNKNOWN
    try:
        same = _start_ticks(int(pid)) == int(ticks) and not is_zombie(int(pid))
    except FileNotFoundError:
        # A /proc with hidepid does not show those of other users (proc(5)).
        return Fate.UNKNOWN if exists(int(pid)) else Fate.ENDED
    except (OSError, ValueError):
        return Fate.UNKNOWN
    return Fate.RUNNING if same else Fate.ENDED


def is_running(identity: str) -> bool:
    """Whether that process certainly runs; False when it can't be told."""
    return fate(identity) is Fate.RUNNING


def is_gone(identity: str, here: bool = False) -> bool:
    """Whether that process has certainly ended; False when it can't be told.

    `here`: see `fate`.
    """
    return fate(identity, here) is Fate.ENDED


def exists(pid: int) -> bool:
    """Whether there is a process with this id, even if it is a zombie."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass  # it is another user's
    return True


def _machine() -> str:
    boot = (PROC / "sys/kernel/random/boot_id").read_text().strip()
    return f"{boot} {os.readlink(PROC / 'self/ns/pid')}"


def is_zombie(pid: int) -> bool:
    """Whether a process has ended, and its parent has not collected its status yet.

    In a container whose PID 1 never calls wait(), it never will.
    """
    fields = _fields(pid)
    # While other threads are left, only the first one has ended.
    return fields[3] in ("Z", "X") and int(fields[20]) <= 1


def _start_ticks(pid: int) -> int:
    return int(_fields(pid)[22])


def _fields(pid: int) -> dict[int, str]:
    """The third and later fields of its stat, by their numbers in proc(5)."""
    # The second, the name, may contain blanks, brackets and any octets: the kernel cuts
    # it after 15, perhaps in the middle of a character.
    line = (PROC / str(pid) / "stat").read_bytes()
    return dict(enumerate(line.rpartition(b")")[2].decode().split(), 3))
