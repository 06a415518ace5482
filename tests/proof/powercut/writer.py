"""Writes mail in every way there is, and tells each step of it.

Arguments: changes (JSON), the queue's URL, a drop directory, a name, seconds, and how
many seconds to pause at most. A line is written only when what it says holds:
`told queued w1-7`.
"""

from __future__ import annotations

import os
import random
import sys
import time
from pathlib import Path

from proof.powercut.changes import change

from collective.maildrophost.engine.doorbell import ring
from collective.maildrophost.engine.message import Message, compose
from collective.maildrophost.engine.queue import (
    Queue,
    discard,
    doorbells,
    enqueue,
    new_batch,
    open_queue,
    prepare,
    release,
)

RECIPIENTS = ("ok@x.org",) * 8 + ("later@x.org", "no@x.org")
SIZES = (10, 10, 200, 3_000, 3_000, 20_000, 150_000)


def tell(step: str, *names: str) -> None:
    """One write for all of them: what a caller hears is heard at once."""
    lines = "".join(f"told {step} {name}\n" for name in names)
    os.write(1, lines.encode())


def content(name: str) -> str:
    body = f"{name} " * (random.choice(SIZES) // len(name))
    return f"From: a@x.org\nSubject: {name}\n\n{body}\nthe end\n"


def mail(name: str) -> Message:
    sender, recipient = f"{name}@x.org", random.choice(RECIPIENTS)
    return compose(content(name), sender, [recipient], now=time.time())


def write_at_once(queue: Queue, names: list[str]) -> None:
    """As maildropctl does, and Zope when nobody else takes part."""
    tell("writing", *names)
    with queue.write() as tx:
        enqueue(tx, [mail(name) for name in names], time.time())
        bells = doorbells(tx)
    tell("queued", *names)
    ring(bells)


def write_in_two_steps(queue: Queue, names: list[str], commits: bool) -> None:
    """As Zope does, with a savepoint rolled back now and then, or an abort."""
    batch = new_batch()
    kept = random.randint(1, len(names))
    tell("preparing", *names)
    with queue.write() as tx:
        prepare(tx, batch, [mail(name) for name in names], time.time())
    tell("prepared", *names)
    if kept < len(names):
        roll_back(queue, batch, names, kept)
    step = release if commits else discard
    word = "releas" if commits else "discard"
    tell(f"{word}ing", *names[:kept])
    with queue.write() as tx:
        step(tx, batch)
        bells = doorbells(tx)
    tell(f"{word}ed", *names[:kept])
    ring(bells)


def roll_back(queue: Queue, batch: str, names: list[str], kept: int) -> None:
    tell("discarding", *names[kept:])
    with queue.write() as tx:
        discard(tx, batch, beyond=kept)
    tell("discarded", *names[kept:])


def drop(spool: Path, name: str, syncs: bool) -> None:
    """A file for the drop directory; a careless program does not sync it."""
    tell("dropping", name)
    hidden = spool / f".{name}"
    head = f"##To:{random.choice(RECIPIENTS)}\n##From:{name}@x.org\n"
    with hidden.open("wb") as file:
        file.write((head + content(name)).encode())
        if syncs:
            file.flush()
            os.fsync(file.fileno())
    hidden.rename(spool / name)
    if syncs:
        directory = os.open(spool, os.O_RDONLY)
        os.fsync(directory)
        os.close(directory)
        tell("dropped", name)


def main(url: str, spool: Path, name: str, seconds: float, pause: float) -> None:
    queue = open_queue(url)
    ends = time.monotonic() + seconds
    number = 0
    while time.monotonic() < ends:
        names = [f"{name}-{number + n}" for n in range(random.choice((1, 1, 2, 5)))]
        number += len(names)
        chance = random.random()
        if chance < 0.4:
            write_at_once(queue, names)
        elif chance < 0.8:
            write_in_two_steps(queue, names, commits=chance < 0.65)
        else:
            drop(spool, names[0], syncs=chance < 0.9)
        time.sleep(random.random() * pause)
    queue.close()


if __name__ == "__main__":
    change(sys.argv[1])
    main(sys.argv[2], Path(sys.argv[3]), sys.argv[4], *map(float, sys.argv[5:]))
