"""Waiting for so long and no longer."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from typing import TypeVar

Value = TypeVar("Value")


async def within(waiting: Awaitable[Value], seconds: float) -> Value:
    """What `waiting` gives; after so long it is cancelled, and TimeoutError raised.

    Unlike asyncio.wait_for before Python 3.12 it never swallows a cancellation that
    comes as `waiting` ends: whoever is told to stop would go on.
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
    """Cancel it, and wait for what it does at its end."""
    task.cancel()
    await asyncio.wait([task])
    if not task.cancelled():
        task.exception()  # Else asyncio logs that nobody has looked at it.
