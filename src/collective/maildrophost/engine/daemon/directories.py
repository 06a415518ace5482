"""The places a configuration names, made when they are missing, checked when not."""

from __future__ import annotations

import errno
import os
from pathlib import Path

from ..config import Configuration
from ..disk import make_directory
from ..errors import MaildropError


class UnusableDirectory(MaildropError):
    """A directory or a file of the configuration can't be made or written."""


def make_directories(configuration: Configuration) -> None:
    """Those that are missing get mode 0700; raises UnusableDirectory."""
    _make(configuration.home, "MAILDROP_HOME")
    _make(configuration.var, "MAILDROP_VAR")
    # Who may write these files need not be able to make others beside them.
    _make_missing(configuration.log_file.parent, "MAILDROP_LOG_FILE")
    _make_missing(configuration.pid_file.parent, "MAILDROP_PID_FILE")
    for directory in configuration.spool:
        _make(directory, "MAILDROP_SPOOL")


def check_log_file(configuration: Configuration) -> None:
    """Raise UnusableDirectory when nothing can be added to the log."""
    # A FIFO that nobody reads would be waited for, without end and without a word.
    flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_NONBLOCK
    try:
        os.close(os.open(configuration.log_file, flags, 0o666))
    except OSError as error:
        unread = "it is a FIFO that nobody reads, or a socket"
        reason = unread if error.errno == errno.ENXIO else error.strerror
        raise UnusableDirectory(
            f"MAILDROP_LOG_FILE {configuration.log_file}: {reason}"
        ) from None


def _make_missing(directory: Path, option: str) -> None:
    try:
        if not directory.is_dir():
            _make_with_parents(directory)
    except OSError as error:
        raise UnusableDirectory(
            f"{option} {directory} cannot be made: {error.strerror}"
        ) from None


def _make(directory: Path, option: str) -> None:
    _make_missing(directory, option)
    if not os.access(directory, os.W_OK | os.X_OK):
        raise UnusableDirectory(
            f"{option} {directory} is not writable for user {os.getuid()}: "
            "change its owner or permissions"
        )


def _make_with_parents(directory: Path) -> None:
    missing = [each for each in directory.parents if not each.exists()]
    for parent in reversed(missing):
        # Only the directory itself is private: others may have to get through these.
        make_directory(parent, mode=0o777)
    make_directory(directory)
