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

    Of the messages that were `there` then, so many were `matching` what was asked for:
    with those that were being sent.
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
    """What a person is to be asked about before `action` on every wanted message.

    With how many of them it is about.
    """
    there = present_now(tx)
    affected = count_matching(tx, who_takes_part(action, wanted), there)
    return Asked(there, _matching(tx, wanted, there)), affected


def who_takes_part(action: str, wanted: Search) -> Search:
    """Those of the wanted messages that `action` on all of them is about."""
    return replace(wanted, states=taking_part(action, wanted.states))


def act_on_all(
    queue: Queue, action: str, wanted: Search, asked: Asked | None = None
) -> tuple[str, ...]:
    """Do `action` to every wanted message that takes part in it; the ids of those.

    They are of the messages that were there when a person was `asked`, or are now.
    Raises MoreThanAsked when more of those match than did: then nothing was done.

    In several transactions: after a QueueError, or a kill, what was done by then stays
    done, and the rest is as it was; doing it again goes on with that. Messages that
    stop taking part meanwhile are left alone, and so is mail that is queued meanwhile,
    be it that its transaction had written it before.
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
        # Mail whose transaction has just committed, or that somebody has just tried
        # again, is none of those that are to be deleted.
        changed += actions.act(queue, action, ids, takes_part.states).changed
        last = ids[-1]
        empty_large_wal(queue)


def prepared_left_alone(queue: Queue, action: str, wanted: Search) -> int:
    """How many prepared messages there still are after an `action` on all of them.

    Their transactions run, or may be ending just now, or they are on the way to another
    queue. Raises QueueError.
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
    # Whom the relay takes or puts off meanwhile is of them before and after. The record
    # of sent mail is nobody's loss, and where mail is moving there are always more.
    states = tuple(each for each in wanted.states if each not in _UNCOUNTED)
    return count_matching(tx, replace(wanted, states=states), there)


_UNCOUNTED = (State.PREPARED, State.SENT)
