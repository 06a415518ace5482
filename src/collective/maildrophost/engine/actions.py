"""What a person does, on a page or by a command: to messages, lanes, batches."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

from .doorbell import ring
from .message import Lane
from .queue import (
    Done,
    Queue,
    State,
    Transaction,
    check_decidable,
    delete_messages,
    discard,
    doorbells,
    hold_lane,
    hold_messages,
    moment,
    release,
    release_lane,
    release_messages,
    retry_messages,
    still_in,
)

Act = Callable[[Transaction, Sequence[str], float], Done]
EndBatch = Callable[[Transaction, str], int]
ActOnLane = Callable[[Transaction, Lane], bool]


def _retry(tx: Transaction, ids: Sequence[str], now: float) -> Done:
    # Due at once for a daemon, too, whose clock is behind this one: the server's clock
    # is the only other one that can be read here.
    return retry_messages(tx, ids, min(now, moment(tx, now)))


ACTIONS: dict[str, Act] = {
    "retry": _retry,
    "hold": lambda tx, ids, now: hold_messages(tx, ids),
    "release": lambda tx, ids, now: release_messages(tx, ids),
    "delete": lambda tx, ids, now: delete_messages(tx, ids),
}
LANE_ACTIONS: dict[str, ActOnLane] = {"hold": hold_lane, "release": release_lane}


def act(
    queue: Queue, action: str, ids: Sequence[str], states: Sequence[State] = ()
) -> Done:
    """Do `action` to these messages, in one transaction; wake the daemons.

    With `states`, only to those that are still in one of them, and whose transaction
    neither runs nor may just be ending. Raises QueueError: then nothing was done,
    unless it is Unheard.
    """
    now = time.time()
    with queue.write() as tx:
        if states:
            ids = still_in(tx, ids, states, now)
        done = ACTIONS[action](tx, ids, now)
        bells = doorbells(tx)
    ring(bells)
    return done


def act_on_lane(queue: Queue, action: str, lane: Lane) -> bool:
    """Do `action` to a whole lane, new mail included; False when nothing changed.

    Raises QueueError: then nothing was done, unless it is Unheard.
    """
    with queue.write() as tx:
        changed = LANE_ACTIONS[action](tx, lane)
        bells = doorbells(tx)
    ring(bells)
    return changed


def release_batch(queue: Queue, batch: str) -> int:
    """Release a prepared batch; returns how many mails are released.

    Raises Undecidable, or QueueError: then nothing was done, unless it is Unheard.
    """
    return end_batch(queue, batch, _by_hand(release))


def discard_batch(queue: Queue, batch: str) -> int:
    """Delete a prepared batch; returns how many mails are deleted.

    Raises Undecidable, or QueueError: then nothing was done, unless it is Unheard.
    """
    return end_batch(queue, batch, _by_hand(discard))


def end_batch(queue: Queue, batch: str, end: EndBatch) -> int:
    """Release or discard a prepared batch, as `end` does; returns how many mails.

    Does not ask whether its transaction has ended: the caller knows. Raises QueueError:
    then nothing was done, unless it is Unheard.
    """
    with queue.write() as tx:
        count = end(tx, batch)
        bells = doorbells(tx)
    ring(bells)
    return count


def _by_hand(end: EndBatch) -> EndBatch:
    def check_and_end(tx: Transaction, batch: str) -> int:
        check_decidable(tx, batch)
        return end(tx, batch)

    return check_and_end
