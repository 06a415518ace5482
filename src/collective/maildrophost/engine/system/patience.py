"""Waiting with a time limit, without ever losing a cancellation."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from typing import TypeVar

Value = TypeVar("Value")


async def within(waiting: Awaitable[Value], seconds: float) -> Value:
    """The result of `waiting`; after `seconds` it is cancelled, TimeoutError raised.

    Unlike asyncio.wait_for before Python 3.12, it never swallows a cancellation that
    comes as `waiting` ends: a task that was told to stop would go on.
    """
    task = asyncio.ensure_future(waiting)
    try:
        await asyncio.wait([task], timeout=seconds)
    except asyncio.CancelledError:
        await _end(task)
        raise
    if not task.done():
        await _end(task)
        if task.cancelled():
            raise TimeoutError(f"not within {seconds:g} seconds")
    return task.result()


async def _end(task: asyncio.Future[Value]) -> None:
    """Cancel `task`, and wait until it has cleaned up."""
    task.cancel()
    await asyncio.wait([task])
    if not task.cancelled():
        task.exception()  # Else asyncio logs that it was never retrieved.
