"""An action on all messages that match, in transactions of a bounded size."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from .queue import (
    Done,
    Queue,
    Search,
    empty_large_wal,
    ids_matching,
    newest_id,
    taking_part,
)

AT_ONCE = 1000
"""Messages in one transaction: mail goes on being queued and sent in between."""


def act_in_portions(
    queue: Queue,
    action: str,
    wanted: Search,
    act: Callable[[Sequence[str]], Done],
    newest: str | None = None,
) -> tuple[str, ...]:
    """Have `act` do `action` to every wanted message that takes part; the ids changed.

    None has an id above `newest`: without it, that of the newest message there is.

    `act` is given some of them at a time, and does that in one transaction. When it
    raises, or the process is killed, what was done by then stays done, and the rest is
    as it was: doing it again goes on with the rest. Messages that stop taking part
    meanwhile are left alone, and so is mail that is queued meanwhile.
    """
    takes_part = replace(wanted, states=taking_part(action, wanted.states))
    if newest is None:
        with queue.read() as tx:
            newest = newest_id(tx)
    changed: list[str] = []
    last = "0"
    while True:
        with queue.read() as tx:
            ids = ids_matching(tx, takes_part, AT_ONCE, last, newest)
        if not ids:
            return tuple(changed)
        changed += act(ids).changed
        last = ids[-1]
        empty_large_wal(queue)
