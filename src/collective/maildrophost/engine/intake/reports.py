"""Logs each file that is left where it is, and why, once."""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

log = logging.getLogger("maildrop.intake")

LOOK_AGAIN_SECONDS = 300.0
"""Until a file that was reported is tried again: the fault may have been the system's,
such as too many open files."""


def storable(path: str | Path) -> str:
    """A path as the log and the queue can keep it; a file's name may be any octets."""
    return os.fsencode(path).decode("utf-8", "backslashreplace")


@dataclass(frozen=True)
class _Report:
    """What the log says of a path; `again`: when (monotonic) to look once more."""

    about: object
    again: float


class Reports:
    """One report for each path; `about` is the condition of what is there."""

    def __init__(self) -> None:
        self._made: dict[str, _Report] = {}

    def stand(self, path: str, about: object) -> bool:
        """Whether the report of `path` stands: another look would be no use yet."""
        report = self._made.get(path)
        return (
            report is not None
            and report.about == about
            and time.monotonic() < report.again
        )

    def make(
        self, path: str, about: object, words: str, error: BaseException | None = None
    ) -> None:
        """Log an error about `path` once; with the traceback of `error`, if given."""
        before = self._made.get(path)
        self._made[path] = _Report(about, time.monotonic() + LOOK_AGAIN_SECONDS)
        if before is None or before.about != about:
            log.error("%s %s", storable(path), words, exc_info=error)

    def forget(self, path: str) -> None:
        """Withdraw the report of `path`: all is well with it."""
        self._made.pop(path, None)

    def keep_only(self, paths: Collection[str]) -> None:
        """Withdraw the reports of other paths: nothing is there any more."""
        self._made = {path: made for path, made in self._made.items() if path in paths}
