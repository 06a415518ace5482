"""What a person does to messages: retry, hold, release, delete."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from sqlalchemy import ColumnElement, case, delete, false, func, select, update

from . import tables
from .batches import ending_batches, running_batches, undecidable
from .database import database_of, wake
from .giveback import BACK_TO_WAITING
from .leftalone import LeftAlone, NoSuchMessage, OtherState, Undecided
from .listing import AT_ONCE, key_of, state_of
from .states import FINAL, WAITING, RecipientState, State
from .store import Transaction

schedule = tables.schedule
recipient = tables.recipient


@dataclass(frozen=True)
class Done:
    """What an action did: the ids it changed, and why it left others alone.

    `already`: those that were as it would have made them.
    """

    changed: tuple[str, ...]
    refused: dict[str, LeftAlone]
    already: tuple[str, ...] = ()


A_MOMENT_SECONDS = 0.001
ACTS_ON = {
    "retry": (State.DEFERRED, State.FAILED),
    "hold": WAITING,
    "release": (State.HELD, State.PREPARED),
    "delete": (*WAITING, State.PREPARED, State.HELD, *FINAL),
}
"""The states in which a message takes part in an action."""


def retry_messages(tx: Transaction, ids: Iterable[str], now: float) -> Done:
    """Try again at once; a failed message gets a new lifetime.

    A recipient that has failed for good in a message that still waits for others is
    left alone: the sender has been told. Mail that is to be sent later keeps its time.
    """

    def goes_anyway(found: _Found) -> bool:
        due = found.state is State.QUEUED and found.due <= now
        return due or found.state is State.SENDING

    return _act(tx, "retry", ids, goes_anyway, lambda keys: _retry(tx, keys, now))


def _retry(tx: Transaction, keys: Sequence[int], now: float) -> None:
    anew = schedule.c.state == State.FAILED.value
    failed = select(schedule.c.message_id).where(schedule.c.message_id.in_(keys), anew)
    tx.execute(
        update(recipient)
        .where(
            recipient.c.message_id.in_(keys),
            # Deferred ones, too: they would wait for those that are pending already.
            (recipient.c.state == RecipientState.DEFERRED.value)
            | (
                (recipient.c.state == RecipientState.FAILED.value)
                & recipient.c.message_id.in_(failed)
            ),
        )
        .values(state=RecipientState.PENDING.value)
    )
    _change(
        tx,
        keys,
        since=case((anew, _begins(now)), else_=schedule.c.since),
        warned=case((anew, false()), else_=schedule.c.warned),
        due=now,
        state=State.QUEUED.value,
    )
    wake(tx)


def _begins(now: float) -> ColumnElement[float]:
    # Mail that was never tried and is due just when its lifetime begins counts as mail
    # for a certain time (see setback.py). What has failed in another program's queue
    # was never tried here: so its lifetime begins a moment earlier.
    return case((schedule.c.attempts > 0, now), else_=now - A_MOMENT_SECONDS)


def hold_messages(tx: Transaction, ids: Iterable[str]) -> Done:
    """Keep messages back until they are released."""

    def act(keys: Sequence[int]) -> None:
        _change(tx, keys, state=State.HELD.value)

    return _act(tx, "hold", ids, lambda found: found.state is State.HELD, act)


def release_messages(tx: Transaction, ids: Iterable[str]) -> Done:
    """Let held messages go on; prepared ones too: their transaction is in doubt."""

    def act(keys: Sequence[int]) -> None:
        _change(tx, keys, state=BACK_TO_WAITING, batch=None)
        wake(tx)

    def goes_on(found: _Found) -> bool:
        return found.state in (*WAITING, State.SENDING)

    return _act(tx, "release", ids, goes_on, act)


def delete_messages(tx: Transaction, ids: Iterable[str]) -> Done:
    """Delete messages with their record; what is being sent right now stays."""

    def act(keys: Sequence[int]) -> None:
        tx.execute(delete(tables.message).where(tables.message.c.id.in_(keys)))

    return _act(tx, "delete", ids, lambda found: False, act)


def _change(tx: Transaction, keys: Sequence[int], **values: object) -> None:
    tx.execute(update(schedule).where(schedule.c.message_id.in_(keys)).values(values))


def taking_part(action: str, states: Sequence[State]) -> tuple[State, ...]:
    """Those of `states` whose messages take part in `action` on all of them."""
    # A prepared message of a transaction that is just ending must not be released or
    # deleted with the crowd. With --state prepared a person means prepared mail: then
    # `still_in` leaves out what goes on, or may be ending.
    by_hand_only = () if len(states) == 1 else (State.PREPARED,)
    return tuple(
        each for each in ACTS_ON[action] if each in states and each not in by_hand_only
    )


def still_in(
    tx: Transaction, ids: Iterable[str], states: Sequence[State], now: float
) -> list[str]:
    """Those of these messages that are in one of the states, locked.

    Without those of a transaction that goes on, or may be ending just now: it may have
    committed, and be about to release its mail.
    """
    asked = list(ids)
    ending: frozenset[str] = frozenset()
    if State.PREPARED in states:
        # In this order: a batch that votes in between is in both of them, not in none.
        ending = running_batches(tx) | ending_batches(tx, now)
    found = (
        select(schedule.c.message_id)
        .where(
            schedule.c.message_id.in_([int(each) for each in asked]),
            schedule.c.state.in_([state.value for state in states]),
            func.coalesce(schedule.c.batch, "").not_in(ending),
        )
        .order_by(schedule.c.message_id)
        .with_for_update()
    )
    keys = set(tx.execute(found).scalars())
    return [each for each in asked if int(each) in keys]


def _act(
    tx: Transaction,
    action: str,
    ids: Iterable[str],
    is_so: Callable[[_Found], bool],
    act: Callable[[Sequence[int]], None],
) -> Done:
    asked = _each_once(ids)
    changed: list[str] = []
    already: list[str] = []
    refused: dict[str, LeftAlone] = {}
    for start in range(0, len(asked), AT_ONCE):
        part = asked[start : start + AT_ONCE]
        found = _find(tx, part)
        able: list[str] = []
        for each in part:
            if each not in found:
                refused[each] = NoSuchMessage()
            elif why := found[each].undecidable:
                refused[each] = why
            elif is_so(found[each]):
                already.append(each)
            elif (state := found[each].state) not in ACTS_ON[action]:
                refused[each] = OtherState(action, state, ACTS_ON[action])
            else:
                able.append(each)
        if able:
            act([found[each].key for each in able])
            changed += able
    return Done(tuple(changed), refused, tuple(already))


def _each_once(ids: Iterable[str]) -> list[str]:
    """Each message once, as its id was written first: 02 is message 2."""
    written: dict[object, str] = {}
    for each in ids:
        key = key_of(each)
        written.setdefault(each if key is None else key, each)
    return list(written.values())


class _Found(NamedTuple):
    key: int
    state: State
    due: float
    undecidable: Undecided | None


def _find(tx: Transaction, ids: Sequence[str]) -> dict[str, _Found]:
    keys = {each: key for each in ids if (key := key_of(each)) is not None}
    rows = (
        select(
            schedule.c.message_id, schedule.c.state, schedule.c.due, schedule.c.batch
        )
        .where(schedule.c.message_id.in_(list(keys.values())))
        .order_by(schedule.c.message_id)
        .with_for_update()
    )
    # A message that is shown as damaged can be acted on as such.
    with database_of(tx).any_text(tx):
        read = tx.execute(rows).all()
    running = running_batches(tx)
    found = {
        key: _Found(key, state_of(state), due, undecidable(batch or "", running))
        for key, state, due, batch in read
    }
    return {each: found[key] for each, key in keys.items() if key in found}
