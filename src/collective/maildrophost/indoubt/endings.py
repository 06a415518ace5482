"""What this process knows of transactions that are over."""

from __future__ import annotations

import enum
import threading
from collections import deque

LATEST = 10_000
"""So many are remembered whose last step on the queue went well: a standby that takes
over may not have heard of it."""


class Ending(enum.Enum):
    """What became of a transaction."""

    COMMITTED = enum.auto()
    ABORTED = enum.auto()
    UNKNOWN = enum.auto()


_ended: dict[str, dict[str, Ending]] = {}
_done: deque[tuple[str, str, Ending]] = deque(maxlen=LATEST)
_lock = threading.Lock()


def ended(url: str, batch: str, ending: Ending) -> None:
    """The transaction of `batch` is over; its last step at the queue `url` is not."""
    with _lock:
        _ended.setdefault(url, {})[batch] = ending


def done(url: str, batch: str, ending: Ending) -> None:
    """The transaction of `batch` is over, and so is its last step."""
    with _lock:
        _done.append((url, batch, ending))


def ended_here(url: str) -> dict[str, Ending]:
    """What became of each batch of a queue that this process knows of."""
    with _lock:
        latest = {batch: ending for at, batch, ending in _done if at == url}
        return latest | _ended.get(url, {})


def forget(url: str, batch: str) -> None:
    """The last step of `batch` was made up for: nothing is left to do."""
    with _lock:
        _ended.get(url, {}).pop(batch, None)
