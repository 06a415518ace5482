"""What a person does to messages from a page: some of them, or all that match."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

from collective.maildrophost.engine.doorbell import ring
from collective.maildrophost.engine.queue import (
    Done,
    Queue,
    Search,
    Transaction,
    doorbells,
    hold,
    remove,
    retry,
    unhold,
)
from collective.maildrophost.engine.queue import act_on_all as all_acted_on

Act = Callable[[Transaction, Sequence[str], float], Done]

ACTIONS: dict[str, Act] = {
    "retry": retry,
    "hold": lambda tx, ids, now: hold(tx, ids),
    "release": lambda tx, ids, now: unhold(tx, ids),
    "delete": lambda tx, ids, now: remove(tx, ids),
}


def act(queue: Queue, action: str, ids: Sequence[str]) -> Done:
    """Do `action` to these messages, in one transaction; wake the daemons.

    Raises QueueError: then nothing was done.
    """
    now = time.time()
    with queue.write() as tx:
        done = ACTIONS[action](tx, ids, now)
        bells = doorbells(tx)
    ring(bells)
    return done


def act_on_all(queue: Queue, action: str, wanted: Search) -> int:
    """Do `action` to every wanted message that takes part in it; returns how many.

    In several transactions. A QueueError leaves the rest as it was: doing it again
    goes on with that.
    """
    return len(all_acted_on(queue, action, wanted, lambda ids: act(queue, action, ids)))
