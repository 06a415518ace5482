"""Whom a claim is for: the recipients that have no final verdict yet."""

# Rules of this file:
# - A claim takes the pending recipients of a message as long as there are any: those
#   that were deferred meanwhile must not be tried again with each SMTP transaction.
# - It names at most a thousand. When it named all of a hundred thousand, every claim
#   took seconds (one for each SMTP transaction of a hundred), and other mail waited.
# - Recipients that got no answer, as the session ended before, go without those that
#   got one, if these were several. Postfix ends a session at its twentieth refusal:
#   where as many are always deferred, the others would never get the mail.

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

from sqlalchemy import bindparam, not_, select, update

from . import tables
from .statement import Row, Statement, among_ids
from .states import RecipientState
from .store import Transaction

MOST = 1000
"""Recipients that a claim names; as many that were deferred may be added."""

FEWEST_REFUSALS = 3
"""So many can make a relay end the session: chasquid does it then, Postfix at 20."""

recipient = tables.recipient


@dataclass(frozen=True, slots=True)
class OpenRecipient:
    """A recipient that has no final verdict yet; `reply` is what was said last."""

    position: int
    address: str
    attempts: int
    reply: str = ""

    def __reduce__(self) -> tuple[type[OpenRecipient], tuple[int, str, int, str]]:
        values = self.position, self.address, self.attempts, self.reply
        return OpenRecipient, values


Several: TypeAlias = tuple[OpenRecipient, ...]
OfAClaim: TypeAlias = tuple[Several, Several, bool, bool]
"""Whom to try now, who has to wait until that is done, whether there are more to try,
whether they were deferred before."""

_COLUMNS = (
    recipient.c.message_id,
    recipient.c.state,
    recipient.c.position,
    recipient.c.address,
    recipient.c.attempts,
    recipient.c.reply,
)
_OPEN = Statement(
    select(*_COLUMNS)
    .where(among_ids(recipient.c.message_id), tables.OPEN_SQL)
    .order_by(recipient.c.message_id, recipient.c.position)
    .limit(bindparam("most"))
)
_OPEN_OF_ONE = Statement(
    select(*_COLUMNS)
    .where(
        recipient.c.message_id == bindparam("key"),
        recipient.c.state == bindparam("kind"),
    )
    .order_by(recipient.c.position)
    .limit(bindparam("most"))
)
_ANSWER = re.compile(r"(?!421)[45][0-9][0-9]\b")
"""To this recipient, or to the message; 421 is said of the session."""
_PENDING, _DEFERRED = RecipientState.PENDING.value, RecipientState.DEFERRED.value


def open_recipients(tx: Transaction, ids: Sequence[int]) -> dict[int, OfAClaim]:
    """The open recipients of each message, as its claim has them."""
    rows = _OPEN.rows(tx, ids=ids, most=MOST + 1)
    if len(rows) > MOST:
        rows = [
            row
            for key in ids
            for kind in (_PENDING, _DEFERRED)
            for row in _OPEN_OF_ONE.rows(tx, key=key, kind=kind, most=MOST + 1)
        ]
    return _of_claims(ids, rows)


def _of_claims(ids: Sequence[int], rows: Sequence[Row]) -> dict[int, OfAClaim]:
    pending: dict[int, list[OpenRecipient]] = {key: [] for key in ids}
    deferred: dict[int, list[OpenRecipient]] = {key: [] for key in ids}
    for key, state, *values in rows:
        among = pending if state == _PENDING else deferred
        among[key].append(OpenRecipient(*values))
    return {key: _of_a_claim(pending[key], deferred[key]) for key in ids}


def _of_a_claim(
    pending: Sequence[OpenRecipient], deferred: Sequence[OpenRecipient]
) -> OfAClaim:
    still_open = pending or deferred
    first = tuple(_to_ask_first(still_open)[:MOST])
    waiting = tuple(deferred[:MOST]) if pending else ()
    return first, waiting, len(still_open) > len(first), not pending


def _to_ask_first(still_open: Sequence[OpenRecipient]) -> Sequence[OpenRecipient]:
    """Those whose turn was cut off, where that may have been for the others' refusals.

    Otherwise all, who then share one attempt, and one notification when it is the last.
    """
    refused = [each for each in still_open if _ANSWER.match(each.reply)]
    cut_off = [each for each in still_open if _was_cut_off(each)]
    return cut_off if cut_off and len(refused) >= FEWEST_REFUSALS else still_open


def _was_cut_off(recipient: OpenRecipient) -> bool:
    """Whether a session ended before its answer; not of one that was never asked."""
    return recipient.reply != "" and not _ANSWER.match(recipient.reply)


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
    """Let those go first that were deferred before, and had no turn in this attempt.

    `tried` are the positions in the message of those that had one.
    """
    _MAKE_PENDING.run(tx, key=key, ids=tried)
