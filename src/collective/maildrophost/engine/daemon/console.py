"""The log on a console: it holds up nobody."""

# Rules of this file:
# - The log file has every line, so that the console may leave some out. A pipe that
#   nobody reads, or a terminal after Ctrl-S, would hold the whole daemon otherwise.
# - Its file descriptor may be shared with other programs, so it stays a blocking one:
#   it is asked before each piece. A pipe that says so takes PIPE_BUF octets at once, a
#   terminal a few, and a line break apart from them: it makes two octets of that.

from __future__ import annotations

import contextlib
import logging
import os
import re
import select
from typing import TextIO

PATIENCE_MILLISECONDS = 100
"""For a reader that is slow; one that has taken nothing for so long gets none."""
_FOR_A_PIPE = re.compile(rb"(?s:.){1,%d}" % select.PIPE_BUF)
_FOR_A_TERMINAL = re.compile(rb"\n|[^\n]{1,128}")
LEFT_OUT = "\nlines left out here: %d, see the log file\n"


class Console(logging.Handler):
    """Writes lines to `stream` (with a file descriptor) as long as it takes them."""

    def __init__(self, stream: TextIO) -> None:
        super().__init__()
        self._stream = stream
        self._left_out = 0

    def emit(self, record: logging.LogRecord) -> None:
        """Write the line; the caller has the lock. Never raises: mail goes on."""
        try:
            text = self.format(record) + "\n"
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
        pieces = _FOR_A_TERMINAL if os.isatty(console) else _FOR_A_PIPE
        ready = select.poll()
        ready.register(console, select.POLLOUT)
        for piece in pieces.findall(octets):
            while piece:
                if not ready.poll(patience):
                    return False
                piece = piece[os.write(console, piece) :]
        return True
