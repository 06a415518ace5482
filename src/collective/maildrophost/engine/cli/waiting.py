"""Waits for what another process does, and says what for if that takes long."""

from __future__ import annotations

import time
from collections.abc import Callable

from .output import tell

POLL_SECONDS = 0.05
PATIENCE_SECONDS = 2.0
"""Waiting longer than this is explained."""


def comes_true(condition: Callable[[], bool], seconds: float, explanation: str) -> bool:
    """Whether `condition` is met within so many seconds."""
    began = time.monotonic()
    explained = False
    while not condition():
        waited = time.monotonic() - began
        if waited > seconds:
            return False
        if waited > PATIENCE_SECONDS and not explained:
            tell(explanation, err=True)
            explained = True
        time.sleep(POLL_SECONDS)
    return True
