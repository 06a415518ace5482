"""What this process knows of transactions whose last step on the queue has failed."""

from __future__ import annotations

import enum
import threading


class Ending(enum.Enum):
    """What became of a transaction."""

    COMMITTED = enum.auto()
    ABORTED = enum.auto()
    UNKNOWN = enum.auto()


_ended: dict[str, dict[str, Ending]] = {}
_lock = threading.Lock()


def ended(url: str, batch: str, ending: Ending) -> None:
    """The transaction of `batch` in the queue at `url` is over."""
    with _lock:
        _ended.setdefault(url, {})[batch] = ending


def ended_here(url: str) -> dict[str, Ending]:
    """The batches of a queue that `ended` was told of."""
    with _lock:
        return dict(_ended.get(url, ()))


def forget(url: str, batch: str) -> None:
    """It is decided."""
    with _lock:
        _ended.get(url, {}).pop(batch, None)
