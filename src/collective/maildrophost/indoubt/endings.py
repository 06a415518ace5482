"""What this process knows of transactions that are over."""

from __future__ import annotations

import enum
import os
import threading
from collections import deque
from collections.abc import Iterable

LATEST = 10_000
"""How many endings are remembered whose last step on the queue went well: a standby
that takes over may not have heard of it."""


class Ending(enum.Enum):
    """What became of a transaction."""

    COMMITTED = enum.auto()
    ABORTED = enum.auto()
    UNKNOWN = enum.auto()


_left_undone: dict[str, dict[str, Ending]] = {}
"""By the queue's URL and the batch: what still has to be released or deleted there."""
_done: deque[tuple[str, str, Ending]] = deque(maxlen=LATEST)
_unvoted: dict[tuple[str, str], threading.Thread] = {}
"""The thread of each transaction that has prepared mail, and not voted."""
_lock = threading.Lock()


def _begin_anew() -> None:
    # A forked child has none of the threads, which live on in its parent. One of them
    # may have had the lock.
    global _lock
    _lock = threading.Lock()
    _unvoted.clear()


os.register_at_fork(after_in_child=_begin_anew)


def unvoted(url: str, batch: str) -> None:
    """Remember that this thread's transaction has prepared `batch` and not voted."""
    with _lock:
        _unvoted[url, batch] = threading.current_thread()


def voted(url: str, batch: str) -> None:
    """Remember that the transaction of `batch` may commit from now on."""
    with _lock:
        _unvoted.pop((url, batch), None)


def left_undone(url: str, batch: str, ending: Ending) -> None:
    """Remember that the transaction of `batch` is over, its last step left undone."""
    with _lock:
        _unvoted.pop((url, batch), None)
        _left_undone.setdefault(url, {})[batch] = ending


def urls_left_undone() -> set[str]:
    """The queues on which this process has ever left a last step undone."""
    with _lock:
        return set(_left_undone)


def done(url: str, batch: str, ending: Ending) -> None:
    """Remember that the transaction of `batch` is over, and so is its last step."""
    with _lock:
        _unvoted.pop((url, batch), None)
        _done.append((url, batch, ending))


def known_here(url: str) -> dict[str, Ending]:
    """What this process knows of the queue's batches: the ending of each."""
    with _lock:
        _end_abandoned()
        latest = {batch: ending for queue, batch, ending in _done if queue == url}
        return latest | _left_undone.get(url, {})


def made_up_for(url: str, batches: Iterable[str]) -> None:
    """Count the last step of these as done: nothing of them is prepared any more."""
    with _lock:
        of_queue = _left_undone.get(url, {})
        for batch in batches:
            if batch in of_queue:
                _done.append((url, batch, of_queue.pop(batch)))


def _end_abandoned() -> None:
    """Count as aborted the batches of dead threads, which will not vote any more."""
    for (url, batch), thread in list(_unvoted.items()):
        if not thread.is_alive():
            del _unvoted[url, batch]
            _left_undone.setdefault(url, {})[batch] = Ending.ABORTED
