"""Whether the daemon can write where it must."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from .finding import Finding, failed, ok

if TYPE_CHECKING:
    from ...config import Configuration

SUBJECT = "directories"


def check(configuration: Configuration) -> Iterator[Finding]:
    """Home, var, the drop directories, those of the log and the pid file."""
    wanted: dict[Path, str] = {configuration.home: "MAILDROP_HOME"}
    for spool in configuration.spool:
        wanted.setdefault(spool, "MAILDROP_SPOOL")
    wanted.setdefault(configuration.var, "MAILDROP_VAR")
    has_log = os.path.exists(configuration.log_file)
    if not has_log:
        wanted.setdefault(configuration.log_file.parent, "MAILDROP_LOG_FILE")
    wanted.setdefault(configuration.pid_file.parent, "MAILDROP_PID_FILE")
    for directory, option in wanted.items():
        yield _writable(directory, option)
    if has_log:
        yield _log(configuration.log_file)


def _writable(directory: Path, option: str) -> Finding:
    # os.path, here and below: Path raises where the user may not even look.
    named = f"{directory} ({option})"
    if os.path.isdir(directory):
        if os.access(directory, os.R_OK | os.W_OK | os.X_OK):
            return ok(SUBJECT, f"{named} is writable")
        return _not_writable(named)
    if os.path.exists(directory):
        return failed(SUBJECT, f"{named} is no directory: move that file away")
    parent = _nearest(directory)
    if os.path.isdir(parent) and not os.access(parent, os.X_OK):
        return failed(
            SUBJECT,
            f"{named} is out of reach for this user: change the mode of {parent}",
        )
    if os.path.isdir(parent) and os.access(parent, os.W_OK):
        return ok(SUBJECT, f"{named} is made by the first start")
    return failed(SUBJECT, f"{named} cannot be made in {parent}: make it by hand")


def _log(file: Path) -> Finding:
    # Who may write it need not be able to make others beside it.
    named = f"{file} (MAILDROP_LOG_FILE)"
    if os.path.isdir(file):
        return failed(SUBJECT, f"{named} is a directory: name a file in it")
    if os.access(file, os.W_OK):
        return ok(SUBJECT, f"{named} is writable")
    return _not_writable(named)


def _not_writable(named: str) -> Finding:
    return failed(
        SUBJECT, f"{named} is not writable for this user: change its owner or mode"
    )


def _nearest(directory: Path) -> Path:
    return next(parent for parent in directory.parents if os.path.exists(parent))
