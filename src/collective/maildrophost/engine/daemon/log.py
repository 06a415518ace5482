"""Where the daemon's log goes."""

from __future__ import annotations

import logging
import logging.handlers
import sys
import time

from ..config import Configuration

ROOT = "maildrop"


class _Line(logging.Formatter):
    """One line that greps well: time in UTC, level, logger, text."""

    converter = staticmethod(time.gmtime)
    default_time_format = "%Y-%m-%dT%H:%M:%S"
    default_msec_format = "%s.%03dZ"


LINE = "%(asctime)s %(levelname)s %(name)s: %(message)s"


def set_up(configuration: Configuration) -> None:
    """Log to MAILDROP_LOG_FILE, with DEBUG also to the console; OSError when it can't.

    The file is looked at before every line, so that rotating it needs no signal.
    """
    logger = logging.getLogger(ROOT)
    # No line shows them, and asking for them costs as much as the rest of the record.
    logging.logThreads = logging.logProcesses = logging.logMultiprocessing = False
    for handler in logger.handlers[:]:
        logger.removeHandler(handler)
        handler.close()
    logger.propagate = False
    logger.setLevel(logging.DEBUG if configuration.debug else logging.INFO)
    handlers: list[logging.Handler] = [
        logging.handlers.WatchedFileHandler(configuration.log_file, encoding="utf-8")
    ]
    if configuration.debug:
        handlers.append(logging.StreamHandler(sys.stderr))
    for handler in handlers:
        handler.setFormatter(_Line(LINE))
        logger.addHandler(handler)
