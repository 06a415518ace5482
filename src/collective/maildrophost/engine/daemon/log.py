"""Where the daemon's log goes."""

from __future__ import annotations

import contextlib
import logging
import sys

from ..config import Configuration
from ..logfile import Line, LogFile
from .console import Console
from .jsonlines import SUFFIX, JsonLine

ROOT = "maildrop"


def set_up(configuration: Configuration) -> None:
    """Log to MAILDROP_LOG_FILE, with DEBUG also to the console; OSError when it can't.

    The file is looked at before every line, so that rotating it needs no signal. It has
    JSON lines when its name ends in ``.jsonl``.
    """
    logger = logging.getLogger(ROOT)
    # No line shows source, thread or process, and asking for them costs as much as the
    # rest of the record (https://docs.python.org/3/howto/logging.html#optimization).
    logging._srcfile = None
    logging.logThreads = logging.logProcesses = logging.logMultiprocessing = False
    for handler in logger.handlers[:]:
        logger.removeHandler(handler)
        # Its last lines may find a full disk: no reason to end.
        with contextlib.suppress(OSError):
            handler.close()
    logger.propagate = False
    logger.setLevel(logging.DEBUG if configuration.debug else logging.INFO)
    handlers: list[logging.Handler] = [LogFile(configuration.log_file)]
    if configuration.debug:
        handlers.append(Console(sys.stderr))
    for handler in handlers:
        handler.setFormatter(Line())
        logger.addHandler(handler)
    if configuration.log_file.suffix == SUFFIX:
        handlers[0].setFormatter(JsonLine())
