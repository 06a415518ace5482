"""Writes mail as Zope does, for as long as it is told, whatever befalls the queue.

Arguments: URL, name, seconds. Prints a line for each message: its subject, and whether
it was `committed`, `aborted`, or nobody can tell (`unknown`).
"""

from __future__ import annotations

import random
import sys
import time

from collective.maildrophost.engine.message import compose
from collective.maildrophost.engine.queue import (
    QueueError,
    discard,
    enqueue,
    new_batch,
    open_queue,
    prepare,
    release,
)

PAUSE_SECONDS = 0.2
PATIENCE_SECONDS = 60.0


def mail(subject):
    text = f"From: a@x.org\nSubject: {subject}\n\nbody of {subject}\n"
    return compose(text, "a@x.org", ["b@x.org"], now=time.time())


def insist(action):
    """Do it until the queue takes it, as a person or the next start would."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while True:
        try:
            return action()
        except QueueError:
            if time.monotonic() > deadline:
                raise
            time.sleep(PAUSE_SECONDS)


def write(queue, operation, *arguments):
    with queue.write() as tx:
        return operation(tx, *arguments)


def in_two_steps(queue, message, commits):
    batch = new_batch()
    try:
        write(queue, prepare, batch, [message], time.time())
        voted = True
    except QueueError:
        voted = False
    if voted and commits:
        insist(lambda: write(queue, release, batch))
        return "committed"
    insist(lambda: write(queue, discard, batch))
    return "aborted"


def at_once(queue, message):
    try:
        write(queue, enqueue, [message], time.time())
    except QueueError:
        return "unknown"
    return "committed"


def main(url, name, seconds):
    queue = insist(lambda: open_queue(url))
    ends = time.monotonic() + seconds
    number = 0
    while time.monotonic() < ends:
        number += 1
        subject = f"{name}-{number}"
        chance = random.random()
        if chance < 0.3:
            end = at_once(queue, mail(subject))
        else:
            end = in_two_steps(queue, mail(subject), commits=chance < 0.8)
        print(subject, end, flush=True)
        time.sleep(random.random() * PAUSE_SECONDS)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], float(sys.argv[3]))
