"""Mail that is put into a queue, and counted."""

from __future__ import annotations

from collective.maildrophost.engine.queue import enqueue, queue_length


def length(queue):
    with queue.read() as tx:
        return queue_length(tx)


def send(queue, hands):
    with queue.write() as tx:
        enqueue(tx, [hands.mail()], hands.now)
