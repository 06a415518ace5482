"""What a process and all that it started use, as /proc tells it."""

from __future__ import annotations

import os
from pathlib import Path

_TICKS = os.sysconf("SC_CLK_TCK")
_PARENT, _TIMES = 1, slice(11, 13)
"""Fields of /proc/PID/stat after the name (proc(5)): ppid; utime and stime."""
_TIMES_OF_DEAD_CHILDREN = slice(13, 15)


def cpu_seconds(root: int) -> float:
    """User and system time of the process and its children, the ended ones too."""
    ticks = 0
    for fields in _tree(root).values():
        ticks += sum(map(int, fields[_TIMES] + fields[_TIMES_OF_DEAD_CHILDREN]))
    return ticks / _TICKS


def memory_bytes(root: int) -> int:
    """Resident memory of the process and its children, shared pages counted once.

    A page that several processes share counts for each of them in part.
    """
    return sum(_proportional(pid) for pid in _tree(root))


def _tree(root: int) -> dict[int, list[str]]:
    everybody = {
        int(folder.name): fields
        for folder in Path("/proc").iterdir()
        if folder.name.isdigit() and (fields := _stat(int(folder.name)))
    }
    tree = {root}
    grew = True
    while grew:
        more = {
            pid for pid, fields in everybody.items() if int(fields[_PARENT]) in tree
        }
        grew = not more <= tree
        tree |= more
    return {pid: everybody[pid] for pid in tree if pid in everybody}


def _stat(pid: int) -> list[str]:
    try:
        text = Path(f"/proc/{pid}/stat").read_text(encoding="ascii", errors="replace")
    except OSError:
        return []  # it has just ended
    # The name stands in parentheses and may hold any character.
    return text.rpartition(")")[2].split()


def _proportional(pid: int) -> int:
    try:
        text = Path(f"/proc/{pid}/smaps_rollup").read_text(encoding="ascii")
    except OSError:
        return 0  # it has just ended
    for line in text.splitlines():
        if line.startswith("Pss:"):
            return int(line.split()[1]) * 1024
    return 0
