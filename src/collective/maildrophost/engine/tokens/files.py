"""The files that hold what a token endpoint is shown."""

# Rules of this file:
# - A file is read anew for every token, so that a new secret needs no restart.
# - A provider may replace the refresh token with each use (RFC 6749 section 6) and
#   forget the old one: the new one goes into memory and at once into the file. Where
#   the file cannot be written, mail goes on until the daemon ends, with a warning, and
#   each token that is asked for is another try, and so is that end.
# - So a process has one object for each file, which outlives a reload. Its token is
#   shown by one request at a time: one from before the reload may still be under way,
#   and so may one of another process (`check` beside the daemon). If a token is shown
#   that was replaced, the provider may revoke all that came of it (RFC 9700 section
#   4.14.2).
# - What replaces a token that was shown is waited for at the end of the process, though
#   not for long: without it the next start is refused.

from __future__ import annotations

import logging
import os
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

from ..secrets import Secret, secretfile
from .alone import alone
from .fault import TokenFault
from .replacing import write

log = logging.getLogger("maildrop.tokens")
Value = TypeVar("Value")

REPLACEMENT_SECONDS = 5.0
"""For a token at the end; supervisors kill ten seconds after MAILDROP_STOP_TIMEOUT."""


def read(option: str, path: str) -> str:
    """The text of the file at `path` without line ends around it; TokenFault."""
    return _as_told(secretfile.read_text, option, path)


def read_line(option: str, path: str) -> Secret:
    """The one line of a file that holds nothing but a secret; TokenFault."""
    return _as_told(secretfile.read_line, option, path)


def _as_told(reader: Callable[[str], Value], option: str, path: str) -> Value:
    try:
        return reader(path)
    except ValueError as error:
        raise TokenFault(f"{option}: {error}", permanent=True) from None


class RefreshTokenFile:
    """The refresh token: as the file says, or as the provider has replaced it since."""

    OPTION = "MAILDROP_OAUTH_REFRESH_TOKEN_FILE"

    def __init__(self, path: str) -> None:
        self._path = path
        self._replacement = Secret("")
        # Tokens that were replaced since the file was last written: it holds one of
        # these, unless somebody has put another one into it meanwhile.
        self._used_up: set[Secret] = set()
        self._warned = False
        self._turn = threading.Lock()

    @contextmanager
    def turn(self) -> Iterator[None]:
        """From before the token is read until what replaces it is written; TokenFault.

        No other request is under way meanwhile, in this process or another.
        """
        with self._turn, alone(self.OPTION, self._path):
            yield

    def await_turn(self, seconds: float) -> None:
        """Return when no turn of this process is under way, or `seconds` are over.

        What could not be written before may be by now: a full disk has room again.
        """
        if self._turn.acquire(timeout=min(seconds, threading.TIMEOUT_MAX)):
            try:
                if self._is_outdated():
                    self._keep(self._replacement)
            finally:
                self._turn.release()

    def read(self) -> Secret:
        """The token to show now; TokenFault."""
        written = read_line(self.OPTION, self._path)
        return self._replacement if written in self._used_up else written

    def replace(self, shown: Secret, given: Secret) -> None:
        """Keep what the provider gave for the one `shown`; it may be the same one."""
        if given != shown:
            self._used_up.add(shown)
            self._replacement = given
        if self._is_outdated():
            self._keep(given)

    def _is_outdated(self) -> bool:
        """Whether the file holds what was replaced, and not what somebody put there."""
        if not self._used_up:
            return False
        try:
            return read_line(self.OPTION, self._path) in self._used_up
        except TokenFault:
            return True  # no use to anybody, and the given one may be the only good one

    def _keep(self, token: Secret) -> None:
        try:
            write(Path(os.path.realpath(self._path)), token)
            self._used_up.clear()
            self._warned = False
        except OSError as error:
            if not self._warned:
                log.warning(
                    "%s %s cannot be written (%s): the provider has replaced the "
                    "refresh token, and the new one is lost when the daemon ends",
                    self.OPTION,
                    self._path,
                    error.strerror,
                )
            self._warned = True


_of_this_process: dict[str, RefreshTokenFile] = {}


def refresh_token_file(path: str) -> RefreshTokenFile:
    """The one object for the file at `path`."""
    return _of_this_process.setdefault(path, RefreshTokenFile(path))


def await_replacements(seconds: float = REPLACEMENT_SECONDS) -> None:
    """Return when no refresh token is on its way, after `seconds` at most."""
    until = time.monotonic() + seconds
    for file in _of_this_process.values():
        file.await_turn(max(0.0, until - time.monotonic()))
