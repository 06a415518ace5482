"""The processes of a daemon: it sends, its child writes to the queue."""

from __future__ import annotations

from pathlib import Path


def children(pid: int) -> list[int]:
    """The children of a process, as proc(5) tells."""
    text = Path(f"/proc/{pid}/task/{pid}/children").read_text()
    return [int(each) for each in text.split()]


def memory(pid: int, name: str) -> int:
    """Octets of memory that the process has (VmRSS), or had at most (VmHWM)."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith(f"{name}:"):
            return int(line.split()[1]) * 1024
    raise AssertionError(f"no {name}")


def waits_for_lock(pid: int) -> bool:
    """Whether a thread pauses between two tries, unlike one that awaits requests."""
    threads = Path(f"/proc/{pid}/task").glob("*/wchan")
    return any("poll_schedule_timeout" in each.read_text() for each in threads)


def state(pid: int) -> str:
    """The letter of proc(5): "T" is stopped, "Z" has ended and was not waited for."""
    text = Path(f"/proc/{pid}/stat").read_text()
    return text.rpartition(")")[2].split()[0]
