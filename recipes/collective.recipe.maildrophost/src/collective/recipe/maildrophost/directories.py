"""Makes the directories that a daemon's mail lives in."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from errno import EACCES, ENOTDIR
from os.path import isdir, lexists
from pathlib import Path

from .daemons import Daemon
from .errors import wrong_value
from .ways import make_directory


def check(daemon: Daemon) -> None:
    """UserError when one cannot be made, as far as that shows without trying."""
    for option, path in _directories(daemon):
        with _named(daemon, option, path):
            _check(path)


def make(daemon: Daemon) -> None:
    """Make what is missing, for its user alone; UserError when that cannot be.

    Buildout is never told of them, so it never removes one: they hold mail.
    """
    for option, path in _directories(daemon):
        with _named(daemon, option, path):
            if not path.is_dir():
                make_directory(path, daemon.owner)


def _directories(daemon: Daemon) -> list[tuple[str, Path]]:
    return [
        ("home", daemon.home),
        *(("spool", spool) for spool in daemon.spools),
        ("var", daemon.var),
        ("log-file", daemon.log_file.parent),
        ("pid-file", daemon.pid_file.parent),
        *(("queue", file.parent) for file in daemon.queue_files),
    ]


def _check(path: Path) -> None:
    """OSError when `path` is no directory, and cannot become one where it would be."""
    nearest = next(above for above in (path, *path.parents) if lexists(above))
    if not isdir(nearest):
        raise OSError(ENOTDIR, f"{os.strerror(ENOTDIR)} ({nearest})")
    if nearest != path and not os.access(nearest, os.W_OK | os.X_OK):
        raise OSError(EACCES, f"{os.strerror(EACCES)} ({nearest})")


@contextmanager
def _named(daemon: Daemon, option: str, path: Path) -> Iterator[None]:
    """Turn an OSError into a UserError that names the option and its section."""
    try:
        yield
    except OSError as error:
        raise wrong_value(
            daemon.section_of(option),
            option,
            f"a directory that can be made, but {path}: {error.strerror}",
        ) from error
