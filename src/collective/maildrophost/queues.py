"""The queues that this process has open, one for each URL."""

from __future__ import annotations

from collective.maildrophost import productconfig
from collective.maildrophost.engine.queue import Queue, open_queue

_open: dict[str, Queue] = {}


def configured_queue(key: str) -> Queue:
    """The queue of the configuration listed under `key`; MaildropError says why not."""
    return queue_at(productconfig.configuration(key).queue)


def queue_at(url: str) -> Queue:
    """The queue at `url`, shared by all threads; raises QueueError when it won't open.

    A queue that did not open is tried again the next time.
    """
    queue = _open.get(url)
    if queue is not None:
        return queue
    # Not under a lock: a thread that wants another queue would wait for a server that
    # does not answer, and those that want this one would time out one after the other.
    opened = open_queue(url)
    kept = _open.setdefault(url, opened)
    if kept is not opened:
        opened.close()
    return kept
