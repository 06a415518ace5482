"""The log as JSON lines, for programs that collect logs."""

from __future__ import annotations

import json
import logging
import re
import time
from collections.abc import Mapping
from typing import Any

SUFFIX = ".jsonl"
"""A log file whose name ends with it has JSON lines."""

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
            **_parts(record, message),
        }
        if record.exc_info:
            line["traceback"] = self.formatException(record.exc_info)
        return json.dumps(line)


def _parts(record: logging.LogRecord, message: str) -> dict[str, Any]:
    if isinstance(record.args, Mapping):
        return dict(record.args)  # of an attempt, from the journal of delivery
    about = _ABOUT.match(message)
    return {} if about is None else {"id": about[1]}
