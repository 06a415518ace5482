"""What each command is typed with, and what it says when it ends."""

from __future__ import annotations

ARGUMENTS = {
    "send": ("-f", "a@x.org", "b@x.org"),
    "show": ("1",),
    "import": ("/",),
    "backup": ("copy.db",),
}
ON_IDS = ("retry", "hold", "release", "delete")


def command_line(name: str) -> tuple[str, ...]:
    return (name, *(("1",) if name in ON_IDS else ARGUMENTS.get(name, ())))


def one_line(text: str) -> bool:
    return text.count("\n") == 1 and "Traceback" not in text
