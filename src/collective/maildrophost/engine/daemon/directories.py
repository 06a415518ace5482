"""The places that a configuration names: made where they are missing, else checked."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from sqlalchemy.engine import make_url

from ..config import Configuration
from ..errors import MaildropError
from ..queue.sqlite.database import files_of, path_of
from ..system.disk import make_directory


class UnusableDirectory(MaildropError):
    """A directory or a file of the configuration can't be made or written."""


@dataclass(frozen=True)
class Place:
    """A directory that an option names, and what the daemon's user must be able to."""

    directory: Path
    option: str
    file: Path | None
    """What the option names in it, if it names no directory."""
    access: int
    """As for os.access; 0 where it is enough that it exists."""

    @property
    def lacks(self) -> str:
        """What it should be and is not, "writable" or "readable"; "": all is well."""
        for word, access in (("writable", os.W_OK | os.X_OK), ("readable", os.R_OK)):
            if not os.access(self.directory, self.access & access):
                return word
        return ""


def places(configuration: Configuration) -> list[Place]:
    """Every directory that must be there, once, named by its first option."""
    make = os.W_OK | os.X_OK
    # A user who may write these files need not be able to make others beside them.
    log = 0 if os.path.exists(configuration.log_file) else make
    pid = 0 if os.access(configuration.pid_file, os.W_OK) else make
    found: dict[Path, Place] = {}
    for each in (
        Place(configuration.home, "MAILDROP_HOME", None, make),
        *(
            Place(spool, "MAILDROP_SPOOL", None, os.R_OK | make)
            for spool in configuration.spool
        ),
        Place(configuration.var, "MAILDROP_VAR", None, make),
        _of_a_file(configuration.log_file, "MAILDROP_LOG_FILE", log),
        _of_a_file(configuration.pid_file, "MAILDROP_PID_FILE", pid),
    ):
        first = found.setdefault(each.directory, each)
        found[each.directory] = replace(first, access=first.access | each.access)
    return list(found.values())


def _of_a_file(file: Path, option: str, access: int) -> Place:
    return Place(file.parent, option, file, access)


def make_directories(configuration: Configuration) -> None:
    """Make those that are missing, with mode 0700; raises UnusableDirectory."""
    for place in places(configuration):
        _make_missing(place.directory, place.option)
        if lacks := place.lacks:
            said = f"{place.file}: its directory" if place.file else place.directory
            raise UnusableDirectory(
                f"{place.option} {said} is not {lacks} for user {os.getuid()}: change "
                "its owner or permissions"
            )


OF_THE_QUEUE = "is the queue's own file: name another one"


def is_of_the_queue(configuration: Configuration, file: str | Path) -> bool:
    """Whether SQLite keeps the queue in it, or may do so at any time."""
    url = make_url(configuration.queue)
    if url.get_backend_name() != "sqlite":
        return False
    return Path(os.path.realpath(file)) in files_of(path_of(url))


def log_is_also(configuration: Configuration) -> str:
    """What the log would spoil, and what to do; "" where it has a file of its own."""
    log = os.path.realpath(configuration.log_file)
    # Both may be /dev/null, with everything in environment variables.
    if os.path.isfile(log):
        for what, file in _read_files(configuration):
            if file and log == os.path.realpath(file):
                return f"is {what}: name another file"
    return OF_THE_QUEUE if is_of_the_queue(configuration, log) else ""


def _read_files(configuration: Configuration) -> Iterator[tuple[str, str | Path]]:
    """What is read by whoever starts, and means nothing with a log in it."""
    yield "the configuration", configuration.path
    yield "MAILDROP_PASSWORD_FILE", configuration.password_file
    yield "MAILDROP_TLS_CA_FILE", configuration.tls_ca_file
    yield "MAILDROP_OAUTH_CLIENT_SECRET_FILE", configuration.oauth_client_secret_file
    yield "MAILDROP_OAUTH_REFRESH_TOKEN_FILE", configuration.oauth_refresh_token_file


def check_files(configuration: Configuration) -> None:
    """Raise UnusableDirectory when the pid file or the log may not be where it is."""
    if is_of_the_queue(configuration, configuration.pid_file):
        named = f"MAILDROP_PID_FILE {configuration.pid_file}"
        raise UnusableDirectory(f"{named} {OF_THE_QUEUE}")
    check_log_file(configuration)


def check_log_file(configuration: Configuration) -> None:
    """Raise UnusableDirectory when nothing can, or may, be added to the log."""
    if taken := log_is_also(configuration):
        raise UnusableDirectory(f"MAILDROP_LOG_FILE {configuration.log_file} {taken}")
    # Without O_NONBLOCK a FIFO that nobody reads would be waited for without end.
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


def _make_with_parents(directory: Path) -> None:
    missing = [each for each in directory.parents if not each.exists()]
    for parent in reversed(missing):
        # Only the directory itself is private: others may have to get through these.
        make_directory(parent, mode=0o777)
    make_directory(directory)
