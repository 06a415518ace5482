"""Makes the directories that a daemon's mail lives in."""

from __future__ import annotations

from pathlib import Path

from .daemons import Daemon
from .errors import wrong_value

_OWNER_ONLY = 0o700


def make(daemon: Daemon) -> None:
    """Make what is missing, for its owner alone; UserError when that cannot be.

    Buildout is never told of them, so it never removes one: they hold mail.
    """
    for option, path in _directories(daemon):
        try:
            path.mkdir(mode=_OWNER_ONLY, parents=True, exist_ok=True)
        except OSError as error:
            raise wrong_value(
                daemon.section,
                option,
                f"a directory that can be made, but {path}: {error.strerror}",
            ) from error


def _directories(daemon: Daemon) -> list[tuple[str, Path]]:
    values, home = daemon.values, daemon.home
    spools = values.get("spool", str(home / "spool")).split(";")
    return [
        ("home", home),
        *(("spool", Path(spool)) for spool in spools),
        ("var", Path(values.get("var", home / "var"))),
    ]
