"""A log file that may be rotated at any time, cheap for many lines at once."""

# Rules of this file:
# - The file is looked at before every write, so that rotating it needs no signal.
# - Lines that are logged together are one write; any other line is a write of its own.

from __future__ import annotations

import contextlib
import logging
import logging.handlers
import sys
import textwrap
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any


def one_line(text: str) -> str:
    """Text from outside as one line: what is not printable is shown as an escape."""
    if text.isprintable():
        return text
    return "".join(
        character
        if character.isprintable()
        else character.encode("unicode_escape").decode("ascii")
        for character in text
    )


class Line(logging.Formatter):
    """One line that greps well: time in UTC, level, logger, text."""

    def __init__(self) -> None:
        super().__init__("%(asctime)s %(levelname)s %(name)s: %(message)s")
        self._last = (-1, "")

    def formatTime(self, record: logging.LogRecord, datefmt: str | None = None) -> str:
        """As in 2026-01-31T23:59:59.123Z; made once for all the lines of a second."""
        second = int(record.created)
        known, text = self._last
        if known != second:
            text = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(second))
            self._last = (second, text)
        return f"{text}.{int(record.msecs):03d}Z"

    def formatMessage(self, record: logging.LogRecord) -> str:
        """The record as one line, whatever its text contains."""
        return one_line(super().formatMessage(record))

    def formatException(self, ei: Any) -> str:
        """The traceback, indented: no line of it looks like one of the log's own."""
        return textwrap.indent(super().formatException(ei), "    ")


class LogFile(logging.handlers.WatchedFileHandler):
    """Writes each line at once, or those of a block `together` at its end.

    What its file does not take goes to standard error.
    """

    def __init__(self, path: str | Path) -> None:
        super().__init__(path, encoding="utf-8", errors="backslashreplace")
        self._lines: list[str] = []
        self._held = self._lost = False

    def emit(self, record: logging.LogRecord) -> None:
        """Write the line; the caller has the lock. Never raises: mail goes on."""
        try:
            self._lines.append(self.format(record))
        except Exception:
            self.handleError(record)
        if not self._held:
            self._write()

    @contextlib.contextmanager
    def together(self) -> Iterator[None]:
        """Hold back the lines of a short block; those of other threads wait for it."""
        self.acquire()
        try:
            self._held = True
            yield
        finally:
            self._held = False
            self._write()
            self.release()

    def _write(self) -> None:
        """Write what waits. Never raises: `together` would keep the lock for good."""
        lines, self._lines = self._lines, []
        try:
            text = "".join(line + self.terminator for line in lines)
            self.reopenIfNeeded()
            if self.stream is None:
                self.stream = self._open()
            self.stream.write(text)
            self.flush()
            self._lost = False
        except Exception as error:
            self._tell_elsewhere(lines, error)

    def reopenIfNeeded(self) -> None:
        """Change to a new file, even when the old one no longer takes what is left."""
        try:
            super().reopenIfNeeded()
        except OSError:
            if self.stream is None:
                raise
            with contextlib.suppress(OSError):
                self.stream.close()
            self.stream = None
            self.dev = self.ino = -1  # whatever is opened next counts as another file

    def _tell_elsewhere(self, lines: list[str], error: Exception) -> None:
        """On standard error, with the reason; the next line tries the file again."""
        with contextlib.suppress(Exception):
            if not self._lost:
                reason = getattr(error, "strerror", None) or type(error).__name__
                print(
                    "the log goes here, its file can't be written: "
                    f"{self.baseFilename}: {reason}",
                    file=sys.stderr,
                )
            self._lost = True
            for line in lines:
                print(line, file=sys.stderr)


@contextlib.contextmanager
def together(logger: logging.Logger) -> Iterator[None]:
    """Let the log files of `logger` take the lines of a block in one write."""
    with contextlib.ExitStack() as held:
        above: logging.Logger | None = logger
        while above is not None:
            for handler in above.handlers:
                if isinstance(handler, LogFile):
                    held.enter_context(handler.together())
            above = above.parent if above.propagate else None
        yield
