"""Makes the directories that a daemon's mail lives in."""

from __future__ import annotations

from pathlib import Path

from .daemons import Daemon
from .errors import wrong_value
from .owner import give, make_way

_OWNER_ONLY = 0o700


def make(daemon: Daemon) -> None:
    """Make what is missing, for its user alone; UserError when that cannot be.

    Buildout is never told of them, so it never removes one: they hold mail.
    """
    for option, path in _directories(daemon):
        try:
            if not path.is_dir():
                make_way(path, daemon.owner)
                path.mkdir(mode=_OWNER_ONLY)
                give(path, daemon.owner)
        except OSError as error:
            raise wrong_value(
                daemon.section,
                option,
                f"a directory that can be made, but {path}: {error.strerror}",
            ) from error


def _directories(daemon: Daemon) -> list[tuple[str, Path]]:
    return [
        ("home", daemon.home),
        *(("spool", spool) for spool in daemon.spools),
        ("var", daemon.var),
        ("log-file", daemon.log_file.parent),
        ("pid-file", daemon.pid_file.parent),
        *(("queue", file.parent) for file in daemon.queue_files),
    ]
