"""Recipients that an SMTP transaction did not get to: the next one is theirs alone."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import bindparam, not_, update

from .statement import Statement, among_ids
from .states import RecipientState
from .store import Transaction
from .tables import recipient

_MAKE_PENDING = Statement(
    update(recipient)
    .where(
        recipient.c.message_id == bindparam("key"),
        # Another daemon's late verdict stands.
        recipient.c.state == RecipientState.DEFERRED.value,
        not_(among_ids(recipient.c.position)),
    )
    .values(state=RecipientState.PENDING.value)
)


def make_pending(tx: Transaction, key: int, tried: Sequence[int]) -> None:
    """Let those go first who were deferred in an attempt before this.

    `tried` are the positions in the message of those who had their turn in this one.
    """
    _MAKE_PENDING.run(tx, key=key, ids=tried)
