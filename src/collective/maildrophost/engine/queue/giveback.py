"""How claims end without a verdict: their messages wait again."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import ColumnElement, case, func, select, update

from . import tables
from .database import wake
from .standing import MessageKey, still_there
from .states import State
from .store import Transaction

schedule = tables.schedule

BACK_TO_WAITING = case(
    (schedule.c.attempts > 0, State.DEFERRED.value), else_=State.QUEUED.value
)
_CLAIMED = schedule.c.state == State.SENDING.value
_OWNERLESS = (
    _CLAIMED
    & schedule.c.owner.is_not(None)
    & schedule.c.owner.not_in(select(tables.daemon.c.owner))
)


def _claimed_by(owner: str) -> ColumnElement[bool]:
    return (schedule.c.owner == owner) & _CLAIMED


def give_back(tx: Transaction, owner: str, keys: Sequence[MessageKey]) -> int:
    """Undo claims of `owner`: nothing was tried, no attempt is counted."""
    these = schedule.c.message_id.in_(still_there(tx, keys))
    return _wait_again(tx, these & _claimed_by(owner))


BEHIND_SECONDS = 0.001
"""A message that goes behind others is due by so much later than the last of them."""
_others = schedule.alias("others")


def give_back_last(
    tx: Transaction, owner: str, keys: Sequence[MessageKey], now: float
) -> None:
    """As `give_back`, but behind all others of its lane that are due at `now`.

    A message that is tried alone would be the first again and again, and hold up the
    others.
    """
    last_due = (
        # One look at the end of what is due in the lane's part of the index.
        select(func.max(_others.c.due))
        .where(
            tables.WAITING_SQL, _others.c.lane == schedule.c.lane, _others.c.due <= now
        )
        .scalar_subquery()
    )
    behind = case(
        (schedule.c.due <= last_due, last_due + BEHIND_SECONDS), else_=schedule.c.due
    )
    these = schedule.c.message_id.in_(still_there(tx, keys))
    _wait_again(tx, these & _claimed_by(owner), due=behind)


def give_back_unheard(tx: Transaction, owner: str, known: Sequence[MessageKey]) -> int:
    """Undo the claims of `owner` that are not `known` to it; returns how many.

    For a daemon that did not hear whether its claims were committed: it never sent
    those.
    """
    heard = schedule.c.message_id.in_(still_there(tx, known))
    return _wait_again(tx, _claimed_by(owner) & ~heard)


def recover(tx: Transaction, owner: str) -> int:
    """Undo the claims of a daemon that is gone; it may have sent them already.

    Returns how many; without those that somebody has locked: see `recover_ownerless`.
    """
    return _take_back(tx, _claimed_by(owner))


def recover_ownerless(tx: Transaction) -> int:
    """Undo the claims of daemons that are not there any more; returns how many.

    A daemon that was taken for dead may have committed a claim after that, and died; or
    somebody had a claim locked when its daemon was removed: then it goes back without
    the wait of `put_off_large`. What is locked now stays.
    """
    count = _take_back(tx, _OWNERLESS)
    if count:
        wake(tx)
    return count


def ownerless(tx: Transaction) -> int:
    """How many claims are those of daemons that are not there any more."""
    count = select(func.count()).select_from(schedule).where(_OWNERLESS)
    return tx.execute(count).scalar_one()


def _take_back(tx: Transaction, claimed: ColumnElement[bool]) -> int:
    """Undo what is `claimed`, which may have been sent; returns how many.

    What somebody has locked is left alone: the wait for it would hold up the others.
    """
    free = select(schedule.c.message_id).where(claimed)
    keys = tx.execute(free.with_for_update(skip_locked=True)).scalars().all()
    if keys:
        _wait_again(tx, schedule.c.message_id.in_(keys), possible_duplicate=True)
    return len(keys)


def _wait_again(tx: Transaction, claims: ColumnElement[bool], **more: object) -> int:
    """Have them wait, changed in what is `more`; returns how many there were."""
    waiting = {"state": BACK_TO_WAITING, "owner": None, **more}
    return tx.execute(update(schedule).where(claims).values(waiting)).rowcount
