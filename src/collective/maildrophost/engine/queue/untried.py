"""Recipients that a transaction did not get to: the next one is theirs alone."""

# Rules of this file:
# - A claim takes the pending recipients of a message as long as there are any: who was
#   deferred in the meantime must not be asked again with each transaction.

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import bindparam, update

from .prepared import Prepared
from .states import RecipientState
from .store import Transaction
from .tables import recipient

_MAKE_PENDING = Prepared(
    update(recipient)
    .where(
        recipient.c.message_id == bindparam("key"),
        recipient.c.position == bindparam("place"),
        # Another daemon's late verdict stands.
        recipient.c.state == RecipientState.DEFERRED.value,
    )
    .values(state=RecipientState.PENDING.value)
)


def make_pending(tx: Transaction, untried: Iterable[tuple[int, int]]) -> None:
    """Let recipients go first that were deferred in an earlier attempt.

    Each is given by the id of its message and its position in that.
    """
    rows = [{"key": key, "place": position} for key, position in untried]
    if rows:
        _MAKE_PENDING.run_many(tx, rows)
