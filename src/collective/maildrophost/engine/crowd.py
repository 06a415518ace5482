"""An action on all messages that match, in transactions of a bounded size."""

from __future__ import annotations

from dataclasses import dataclass, replace

from . import actions
from .errors import MaildropError
from .queue import (
    Present,
    Queue,
    Search,
    State,
    Transaction,
    count_matching,
    empty_large_wal,
    ids_matching,
    present_now,
    taking_part,
)

AT_ONCE = 1000
"""Messages in one transaction: mail goes on being queued and sent in between."""


@dataclass(frozen=True)
class Asked:
    """What a person is asked about, before an action on all that match.

    `there` are the messages that existed then; `matching` is how many of them matched
    what was asked for, those that were being sent included.
    """

    there: Present
    matching: int


class MoreThanAsked(MaildropError):
    """More messages match than a person was asked about: nothing was done."""

    def __init__(self, matching: int, asked: int) -> None:
        super().__init__(
            f"{matching} messages match by now, {asked} did when you were asked"
        )


def ask_about(tx: Transaction, action: str, wanted: Search) -> tuple[Asked, int]:
    """What to ask a person before `action` on every wanted message.

    The number returned with it says how many messages the action would change.
    """
    there = present_now(tx)
    affected = count_matching(tx, who_takes_part(action, wanted), there)
    return Asked(there, _matching(tx, wanted, there)), affected


def who_takes_part(action: str, wanted: Search) -> Search:
    """A search for those of the wanted messages that `action` would change."""
    return replace(wanted, states=taking_part(action, wanted.states))


def act_on_all(
    queue: Queue, action: str, wanted: Search, asked: Asked | None = None
) -> tuple[str, ...]:
    """Do `action` to every wanted message that takes part in it; the ids of those.

    Only messages that were there when a person was `asked` count; without that, those
    that are there now. Raises MoreThanAsked when more of them match by now than did
    then: then nothing was done.

    In several transactions: after a QueueError, or a kill, what was done by then stays
    done, and the rest is as it was; another call goes on with the rest. Messages that
    stop taking part meanwhile are left alone, and so is mail that is queued meanwhile,
    even if its transaction had prepared it before.
    """
    with queue.read() as tx:
        there = _still_there(tx, wanted, asked) if asked else present_now(tx)
    takes_part = who_takes_part(action, wanted)
    changed: list[str] = []
    last = "0"
    while True:
        with queue.read() as tx:
            ids = ids_matching(tx, takes_part, AT_ONCE, last, there)
        if not ids:
            return tuple(changed)
        # With the states: mail whose transaction has just committed, or that somebody
        # has just retried, must not be deleted with the rest.
        changed += actions.act(queue, action, ids, takes_part.states).changed
        last = ids[-1]
        empty_large_wal(queue)


def prepared_left_alone(queue: Queue, action: str, wanted: Search) -> int:
    """How many prepared messages there still are after an `action` on all of them.

    Their transaction still runs or may just be ending, or they are on the way to
    another queue. Raises QueueError.
    """
    takes_part = who_takes_part(action, wanted)
    if State.PREPARED not in takes_part.states:
        return 0
    with queue.read() as tx:
        return count_matching(tx, takes_part, present_now(tx))


def _still_there(tx: Transaction, wanted: Search, asked: Asked) -> Present:
    matching = _matching(tx, wanted, asked.there)
    if matching > asked.matching:
        raise MoreThanAsked(matching, asked.matching)
    return asked.there


def _matching(tx: Transaction, wanted: Search, there: Present) -> int:
    # Mail in flight counts: otherwise it would be one more once the relay defers it.
    # Sent mail does not: its record is nobody's loss, and while mail moves there is
    # ever more. Nor does prepared mail: it is no mail until its transaction commits.
    states = tuple(state for state in wanted.states if state not in _UNCOUNTED)
    return count_matching(tx, replace(wanted, states=states), there)


_UNCOUNTED = (State.PREPARED, State.SENT)
