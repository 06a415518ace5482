"""A background daemon as a process: its command line, and what that tells of it."""

from __future__ import annotations

import sys
from pathlib import Path

from . import processes

# A package that an old setuptools has installed (`…-nspkg.pth`) fixes where the parts
# of `collective` are. Python looks again once sys.path has changed, and the safe path
# of this program (importpath.py) never does: an editable install would not be found.
_PROGRAM = (
    "import importlib; importlib.invalidate_caches(); "
    "from collective.maildrophost.engine.cli import main; raise SystemExit(main())"
)

MARK = "MAILDROPCTL_START"
"""In the environment of a daemon that `start` has started."""


def command(configuration: Path) -> list[str]:
    """The command line that zdaemon runs; everybody can see it in the process list."""
    return [sys.executable, "-c", _PROGRAM, "--config", str(configuration), "run"]


def configuration_of(pid: int) -> Path | None:
    """The file that a daemon was launched with, None where that cannot be told."""
    words = processes.arguments(pid)
    if "--config" not in words[:-1]:
        return None
    path = Path(words[words.index("--config") + 1])
    # A person has typed a relative path, in a directory that we do not know.
    return path if path.is_absolute() else None


def ends_by_itself(pid: int) -> bool:
    """Whether a daemon was run with --once, as far as that can be told."""
    return "--once" in processes.arguments(pid)


def was_launched(pid: int) -> bool:
    """Whether `start` has started a daemon, even if its zdaemon was killed since."""
    return any(each.startswith(f"{MARK}=") for each in processes.environment(pid))
