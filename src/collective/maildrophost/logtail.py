"""The newest part of a log file."""

from __future__ import annotations

import os
from pathlib import Path

from collective.maildrophost.engine.errors import MaildropError


class UnreadableLog(MaildropError):
    """The log exists, but cannot be read."""


def newest(path: Path, max_bytes: int) -> str:
    """The last `max_bytes` bytes as text; "" when there is no such file.

    Raises UnreadableLog.
    """
    try:
        with path.open("rb") as log:
            size = log.seek(0, os.SEEK_END)
            # So much is made room for, before anything is read.
            length = min(size, max(0, max_bytes))
            log.seek(size - length)
            return log.read(length).decode("utf-8", "replace")
    except FileNotFoundError:
        return ""
    except OSError as error:
        raise UnreadableLog(f"{path}: {error.strerror or error}") from error
