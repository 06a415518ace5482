"""The queues that this process has open, one for each URL."""

from __future__ import annotations

import os
import threading

from collective.maildrophost.engine.queue import Queue, open_queue

_open: dict[str, Queue] = {}
_opening = threading.Lock()


def queue_at(url: str) -> Queue:
    """The queue at `url`, shared by all threads; raises QueueError when it won't open.

    A queue that did not open is tried again the next time.
    """
    queue = _open.get(url)
    if queue is not None:
        return queue
    with _opening:
        if url not in _open:
            _open[url] = open_queue(url)
        return _open[url]


def _forget_lock() -> None:
    # Another thread of the parent may have held it; that thread is not in the child.
    global _opening
    _opening = threading.Lock()


os.register_at_fork(after_in_child=_forget_lock)
