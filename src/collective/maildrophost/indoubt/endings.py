"""What this process knows of transactions that are over."""

from __future__ import annotations

import enum
import os
import threading
from collections import deque
from collections.abc import Callable, Iterable
from contextlib import suppress

LATEST = 10_000
"""How many endings are remembered whose last step on the queue went well: a standby
that takes over may not have heard of it."""


class Ending(enum.Enum):
    """What became of a transaction."""

    COMMITTED = enum.auto()
    ABORTED = enum.auto()
    UNKNOWN = enum.auto()


_left: dict[str, dict[str, Ending]] = {}
_done: deque[tuple[str, str, Ending]] = deque(maxlen=LATEST)
_unvoted: dict[tuple[str, str], threading.Thread] = {}
_called: list[Callable[[], object]] = []
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


def left(url: str, batch: str, ending: Ending) -> None:
    """Remember that the transaction of `batch` is over, but not its last step."""
    with _lock:
        _unvoted.pop((url, batch), None)
        _left.setdefault(url, {})[batch] = ending
    for call in _called:
        # A transaction that has committed does not fail because no thread can start.
        with suppress(RuntimeError):
            call()


def call_when_left(call: Callable[[], object]) -> None:
    """Have this called whenever a last step is left, by the thread that leaves it."""
    _called.append(call)


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
        return latest | _left.get(url, {})


def made_up_for(url: str, batches: Iterable[str]) -> None:
    """Count the last step of these as done: nothing of them is prepared any more."""
    with _lock:
        of_queue = _left.get(url, {})
        for batch in batches:
            if batch in of_queue:
                _done.append((url, batch, of_queue.pop(batch)))


def _end_abandoned() -> None:
    """Count as aborted the batches of dead threads, which will not vote any more."""
    for (url, batch), thread in list(_unvoted.items()):
        if not thread.is_alive():
            del _unvoted[url, batch]
            _left.setdefault(url, {})[batch] = Ending.ABORTED
