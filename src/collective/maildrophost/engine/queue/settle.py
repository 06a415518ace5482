"""How verdicts get on disk, and what they make of the message.

The rule of fencing: an acceptance is recorded always, even by a daemon that lost its
claim, because the relay has the mail; a deferral or a failure only under a live claim.

A daemon that does not hear whether a settlement was committed hands it in again: what
is recorded already is not recorded twice.
"""

# Rules of this file:
# - It runs for every few messages: statements are built once, and one transaction
#   makes as few of them as it can.

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TypeAlias

from sqlalchemy import bindparam, case, delete, func, insert, select, true, update

from ..verdict import Outcome, Verdict
from . import tables
from .enqueue import enqueue
from .giveback import give_back
from .hours import count
from .openrecipients import make_pending
from .settlement import Settled, Settlement
from .standing import Standing, is_recorded, standing_of
from .statement import Statement, among_ids
from .states import RecipientState, State
from .store import Transaction

schedule = tables.schedule
recipient = tables.recipient


def settle(tx: Transaction, settlements: Sequence[Settlement], now: float) -> Settled:
    """Record verdicts; there is one settlement at most for each message."""
    standing = standing_of(tx, [each.id for each in settlements])
    gone = [each for each in settlements if not _is_there(each, standing)]
    there = [each for each in settlements if _is_there(each, standing)]
    fresh = _not_recorded(tx, there, standing)
    lost = [each for each in fresh if not _alive(each, standing)]
    alive = [each for each in fresh if _alive(each, standing)]
    recorded = _record(tx, fresh, standing, now)
    for each in alive:
        if each.others_first:
            make_pending(tx, each.id, [position for position, _ in each.verdicts])
    ends = _ends(tx, list(standing))
    moving = [each for each in fresh if each.id in recorded or _alive(each, standing)]
    _move_on(tx, moving, standing, ends, now)
    accepted = [each.id for each in alive if _is_accepted_after_all(each, ends)]
    notifications = [
        each
        for settlement in alive
        if settlement.id not in accepted
        for each in settlement.notifications
    ]
    enqueue(tx, notifications, now, origin="notification")
    recipients_lost = [
        each for each in alive if not each.verdicts and each.id not in ends
    ]
    return Settled(
        late=frozenset(each.id for each in [*gone, *lost]),
        recipients_lost=frozenset(each.id for each in recipients_lost),
        accepted=frozenset(accepted),
    )


def _is_there(settlement: Settlement, standing: Mapping[int, Standing]) -> bool:
    """Whether its message was neither deleted nor lost meanwhile."""
    found = standing.get(settlement.id)
    return found is not None and found.is_of(settlement.created)


def _not_recorded(
    tx: Transaction, settlements: Sequence[Settlement], standing: Mapping[int, Standing]
) -> list[Settlement]:
    fresh: list[Settlement] = []
    for settlement in settlements:
        # Whether somebody has tried it since that claim: nearly always nobody has.
        since = settlement.attempts
        tried = standing[settlement.id].attempts > since
        if tried and is_recorded(tx, settlement.id, since, settlement.time):
            # The transaction that recorded it may have claimed the message again, too:
            # nobody was given that claim.
            give_back(tx, settlement.owner, [settlement.key])
        else:
            fresh.append(settlement)
    return fresh


def _alive(settlement: Settlement, standing: Mapping[int, Standing]) -> bool:
    return standing[settlement.id].owner == settlement.owner


def _is_accepted_after_all(settlement: Settlement, ends: Mapping[int, State]) -> bool:
    """Whether a late acceptance has left nobody of whom it is true."""
    if ends.get(settlement.id) is not State.SENT:
        return False
    outcomes = {verdict.outcome for _, verdict in settlement.verdicts}
    return bool(settlement.notifications or outcomes - {Outcome.SENT})


_Recorded: TypeAlias = tuple[Settlement, int, Verdict]
"""A verdict, with the position of its recipient."""


def _record(
    tx: Transaction,
    settlements: Iterable[Settlement],
    standing: Mapping[int, Standing],
    now: float,
) -> set[int]:
    """Write down the verdicts that count; returns the ids of their messages."""
    recorded = [
        (each, position, verdict)
        for each in settlements
        for position, verdict in each.verdicts
        if verdict.outcome is Outcome.SENT or _alive(each, standing)
    ]
    if recorded:
        _record_attempts(tx, recorded, standing)
        _update_recipients(tx, recorded)
        count(tx, [(each.owner, verdict.outcome) for each, _, verdict in recorded], now)
    return {each.id for each, _, _ in recorded}


_ATTEMPT = Statement(insert(tables.attempt))


def _record_attempts(
    tx: Transaction, recorded: Iterable[_Recorded], standing: Mapping[int, Standing]
) -> None:
    _ATTEMPT.run_many(
        tx,
        [
            {
                "message_id": settlement.id,
                "number": standing[settlement.id].attempts + 1,
                "position": position,
                "time": settlement.time,
                "relay": settlement.relay,
                "outcome": verdict.outcome.value,
                "reply": verdict.reply,
            }
            for settlement, position, verdict in recorded
        ],
    )


# A relay that has accepted a late daemon's mail has it, whatever the next daemon was
# told about the same recipient.
_ACCEPTED = recipient.c.state == RecipientState.SENT.value
_RECIPIENT = Statement(
    update(recipient)
    .where(
        recipient.c.message_id == bindparam("key"),
        recipient.c.position == bindparam("place"),
    )
    .values(
        state=case((_ACCEPTED, recipient.c.state), else_=bindparam("outcome")),
        reply=case((_ACCEPTED, recipient.c.reply), else_=bindparam("words")),
        attempts=recipient.c.attempts + 1,
    )
)


def _update_recipients(tx: Transaction, recorded: Iterable[_Recorded]) -> None:
    _RECIPIENT.run_many(
        tx,
        [
            {
                "key": settlement.id,
                "place": position,
                "outcome": verdict.outcome.value,
                "words": verdict.reply,
            }
            for settlement, position, verdict in recorded
        ],
    )


def _move_on(
    tx: Transaction,
    settlements: Sequence[Settlement],
    standing: Mapping[int, Standing],
    ends: Mapping[int, State],
    now: float,
) -> None:
    finished: dict[State, list[int]] = {State.SENT: [], State.FAILED: []}
    for settlement in settlements:
        found = standing[settlement.id]
        alive = _alive(settlement, standing)
        # What has lost its recipients has failed: nobody can send it any more.
        end = ends.get(settlement.id, State.FAILED)
        # Without a live claim the message is left to its new owner, if it has one.
        if end in finished and (alive or found.owner is None):
            finished[end].append(settlement.id)
        elif alive:
            _defer(tx, settlement)
        else:
            _count_attempt(tx, settlement.id)
    for end, ids in finished.items():
        if ids:
            _FINISH.run(tx, ids=ids, end=end.value, ended=now)
    # The relay may have what has failed: a retry may send it twice.
    in_doubt = {each.id for each in settlements if each.possible_duplicate}
    if marked := in_doubt.intersection(finished[State.FAILED]):
        _MARK.run(tx, ids=marked)
    if sent := finished[State.SENT]:
        _FORGET.run(tx, ids=sent)


_FINISH = Statement(
    update(schedule)
    .where(among_ids(schedule.c.message_id))
    .values(
        state=bindparam("end"),
        owner=None,
        due=bindparam("ended"),
        attempts=schedule.c.attempts + 1,
    )
)
_MARK = Statement(
    update(schedule)
    .where(among_ids(schedule.c.message_id))
    .values(possible_duplicate=true())
)
_FORGET = Statement(
    delete(tables.content).where(among_ids(tables.content.c.message_id))
)
_REFUSED = recipient.c.state == RecipientState.FAILED.value
_ENDS = Statement(
    select(
        recipient.c.message_id,
        func.sum(case((tables.OPEN_SQL, 1), else_=0)),
        func.sum(case((_REFUSED, 1), else_=0)),
    )
    .where(among_ids(recipient.c.message_id))
    .group_by(recipient.c.message_id)
)


def _ends(tx: Transaction, ids: Sequence[int]) -> dict[int, State]:
    """The state of each message by those of all its recipients, if it has any."""
    ends: dict[int, State] = {}
    for key, waiting, failures in _ENDS.rows(tx, ids=ids):
        ended = State.FAILED if failures else State.SENT
        ends[key] = State.DEFERRED if waiting else ended
    return ends


def _defer(tx: Transaction, settlement: Settlement) -> None:
    tx.execute(
        update(schedule)
        .where(schedule.c.message_id == settlement.id)
        .values(
            state=State.DEFERRED.value,
            owner=None,
            due=settlement.due,
            attempts=schedule.c.attempts + 1,
            possible_duplicate=schedule.c.possible_duplicate
            | settlement.possible_duplicate,
            warned=schedule.c.warned | settlement.warned,
        )
    )


def _count_attempt(tx: Transaction, key: int) -> None:
    # The new owner's attempt must not get the number of this late one.
    tx.execute(
        update(schedule)
        .where(schedule.c.message_id == key)
        .values(attempts=schedule.c.attempts + 1)
    )
