"""Claims that nobody knows of: their daemon has gone, or never heard of them."""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import select, update

from . import tables
from .claim import BACK_TO_WAITING
from .standing import MessageKey, still_there
from .states import State
from .store import Transaction
from .waking import wake

schedule = tables.schedule
_CLAIMED = schedule.c.owner.is_not(None) & (schedule.c.state == State.SENDING.value)


def give_back_unheard(tx: Transaction, owner: str, known: Iterable[MessageKey]) -> int:
    """Undo the claims of `owner` but for those it has; returns how many there were.

    For a daemon that did not hear whether its claims were committed: it never sent
    them.
    """
    heard = schedule.c.message_id.in_(still_there(tx, known))
    unheard = (schedule.c.owner == owner) & ~heard
    changed = tx.execute(
        update(schedule)
        .where(_CLAIMED, unheard)
        .values(state=BACK_TO_WAITING, owner=None)
    )
    return changed.rowcount


def recover_ownerless(tx: Transaction) -> int:
    """Undo the claims of daemons that are not there any more; returns how many.

    A daemon that was taken for dead may commit a claim after that, and die.
    """
    living = select(tables.daemon.c.owner)
    changed = tx.execute(
        update(schedule)
        .where(_CLAIMED, schedule.c.owner.not_in(living))
        .values(state=BACK_TO_WAITING, owner=None, possible_duplicate=True)
    )
    if changed.rowcount:
        wake(tx)
    return changed.rowcount
