"""Whether the daemon can write where it must."""

from __future__ import annotations

import errno
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from .finding import Finding, failed, ok

if TYPE_CHECKING:
    from ...config import Configuration
    from ...daemon.directories import Place

SUBJECT = "directories"
PROBE_BYTES = 64 * 1024
"""What most mails take with their record in the queue."""


def check(configuration: Configuration) -> Iterator[Finding]:
    """Every directory that a start makes, or must be able to use; then its files."""
    from ...daemon.directories import OF_THE_QUEUE, is_of_the_queue, log_is_also, places
    from ...daemon.pidfile import SOMETHING_ELSE, is_something_else

    for place in places(configuration):
        if place.access:
            yield _usable(place)
    if taken := log_is_also(configuration):
        log = f"{configuration.log_file} (MAILDROP_LOG_FILE)"
        yield failed(SUBJECT, f"{log} {taken}")
    elif os.path.exists(configuration.log_file):
        yield _log(configuration.log_file)
    pid_file = f"{configuration.pid_file} (MAILDROP_PID_FILE)"
    if os.path.isdir(configuration.pid_file):
        yield _is_a_directory(pid_file)
    if is_of_the_queue(configuration, configuration.pid_file):
        yield failed(SUBJECT, f"{pid_file} {OF_THE_QUEUE}")
    elif is_something_else(configuration.pid_file):
        yield failed(SUBJECT, f"{pid_file} {SOMETHING_ELSE}")


def _usable(place: Place) -> Finding:
    # os.path, here and below: Path raises where the user may not even look.
    directory = place.directory
    named = f"{directory} ({place.option})"
    if os.path.isdir(directory):
        if lacks := place.lacks:
            return _is_not(lacks, named)
        if reason := refusal(directory):
            return failed(SUBJECT, f"{named} takes no file: {reason}")
        return ok(SUBJECT, f"{named} is writable")
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


def refusal(directory: Path) -> str:
    """Why no file of some size can be written there; "" where all is well."""
    # A dot file, which is never taken for dropped mail.
    try:
        with tempfile.NamedTemporaryFile(dir=directory, prefix=".check-") as file:
            file.write(bytes(PROBE_BYTES))
            file.flush()
            os.fsync(file.fileno())  # some file systems notice a quota only here
    except OSError as error:
        reason = error.strerror or str(error)
        return f"{reason}: free space there" if error.errno in _NO_ROOM else reason
    return ""


_NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


def _log(file: Path) -> Finding:
    # A user who may write it need not be able to make files beside it.
    named = f"{file} (MAILDROP_LOG_FILE)"
    if os.path.isdir(file):
        return _is_a_directory(named)
    if os.access(file, os.W_OK):
        return ok(SUBJECT, f"{named} is writable")
    return _is_not("writable", named)


def _is_a_directory(named: str) -> Finding:
    return failed(SUBJECT, f"{named} is a directory: name a file in it")


def _is_not(usable: str, named: str) -> Finding:
    return failed(
        SUBJECT, f"{named} is not {usable} for this user: change its owner or mode"
    )


def _nearest(directory: Path) -> Path:
    return next(parent for parent in directory.parents if os.path.exists(parent))
