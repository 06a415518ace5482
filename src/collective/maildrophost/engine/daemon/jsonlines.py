"""The log as JSON lines, for programs that collect logs."""

from __future__ import annotations

import json
import logging
import re
import time
from typing import Any

SUFFIX = ".jsonl"
"""A log file whose name ends so has JSON lines."""

_ATTEMPT = re.compile(
    r"id=(?P<id>\d+) (?P<outcome>sent|deferred|failed) "
    r"to=<(?P<recipient>[^<>]*)> from=<(?P<sender>[^<>]*)> relay=(?P<relay>.*?) "
    r"attempt=(?P<attempt>\d+) delay=(?P<delay>[\d.]+) "
    r'reply="(?P<reply>.*)"(?P<possible_duplicate> possible_duplicate)?',
    re.DOTALL,
)
_ABOUT = re.compile(r"id=(\d+) ")


class JsonLine(logging.Formatter):
    """One object a line: time, level, logger, message, and an attempt's parts."""

    def format(self, record: logging.LogRecord) -> str:
        """The record as ASCII: nothing in it can begin another line."""
        message = record.getMessage()
        whole = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(record.created))
        line: dict[str, Any] = {
            "time": f"{whole}.{int(record.msecs):03d}Z",
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": message,
            **_parts(message),
        }
        if record.exc_info:
            line["traceback"] = self.formatException(record.exc_info)
        return json.dumps(line)


def _parts(message: str) -> dict[str, Any]:
    attempt = _ATTEMPT.fullmatch(message)
    if attempt is not None:
        return {
            **attempt.groupdict(),
            "attempt": int(attempt["attempt"]),
            "delay": float(attempt["delay"]),
            "possible_duplicate": attempt["possible_duplicate"] is not None,
        }
    about = _ABOUT.match(message)
    return {} if about is None else {"id": about[1]}
