"""The log on a console: it holds up nobody."""

# Rules of this file:
# - The log file has every line, so that the console may leave some out. A pipe that
#   nobody reads, or a terminal after Ctrl-S, would hold the whole daemon otherwise.
# - Its file descriptor may be shared with other programs, so it stays a blocking one:
#   it is asked first, and takes PIPE_BUF octets at once when it says so.

from __future__ import annotations

import contextlib
import logging
import os
import select
from typing import TextIO

PATIENCE_MILLISECONDS = 100
"""For a reader that is slow; one that has taken nothing for so long gets none."""
LEFT_OUT = "\n%d lines are not shown here: they are in the log file\n"


class Console(logging.Handler):
    """Writes lines to `stream` (with a file descriptor) as long as it takes them."""

    terminator = "\n"

    def __init__(self, stream: TextIO) -> None:
        super().__init__()
        self._stream = stream
        self._left_out = 0

    def emit(self, record: logging.LogRecord) -> None:
        """Write the line; the caller has the lock. Never raises: mail goes on."""
        try:
            text = self.format(record) + self.terminator
        except Exception:
            self.handleError(record)
            return
        before = LEFT_OUT % self._left_out if self._left_out else ""
        taken = False
        with contextlib.suppress(Exception):
            taken = self._write(before + text, 0 if before else PATIENCE_MILLISECONDS)
        self._left_out = 0 if taken else self._left_out + 1

    def _write(self, text: str, patience: int) -> bool:
        """Whether the console has taken all of it."""
        octets = text.encode(self._stream.encoding, "backslashreplace")
        console = self._stream.fileno()
        ready = select.poll()
        ready.register(console, select.POLLOUT)
        while octets and ready.poll(patience):
            octets = octets[os.write(console, octets[: select.PIPE_BUF]) :]
        return not octets
