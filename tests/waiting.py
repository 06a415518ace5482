"""Waiting for an event instead of for a time."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import TypeVar

Answer = TypeVar("Answer")
POLL_SECONDS = 0.02
LOOP_POLL_SECONDS = 0.005
TURNS = 50
PATIENCE_SECONDS = 60.0
"""More than anything takes that a test waits for, on a slow and busy machine, too."""


def wait_until(
    condition: Callable[[], Answer],
    timeout: float = PATIENCE_SECONDS,
    what: str = "the condition",
) -> Answer:
    """The first true answer of `condition`; AssertionError after `timeout` seconds."""
    deadline = time.monotonic() + timeout
    while True:
        answer = condition()
        if answer:
            return answer
        if time.monotonic() > deadline:
            raise AssertionError(f"{what} did not happen within {timeout} seconds")
        time.sleep(POLL_SECONDS)


async def until(
    condition: Callable[[], Answer],
    what: str,
    timeout: float = PATIENCE_SECONDS - 10,
) -> Answer:
    """As `wait_until`, while the event loop's other tasks go on.

    Sooner than PATIENCE_SECONDS, which may be all that the task around it has: this one
    says what was missing.
    """
    deadline = time.monotonic() + timeout
    while not (answer := condition()):
        if time.monotonic() > deadline:
            raise AssertionError(f"{what} did not happen within {timeout} seconds")
        await asyncio.sleep(LOOP_POLL_SECONDS)
    return answer


async def all_others_wait() -> None:
    """Until the event loop's other tasks have come as far as they get by themselves.

    Counted in turns of the loop: a busy machine may spend any time in one of them.
    """
    for _ in range(TURNS):
        await asyncio.sleep(0)
