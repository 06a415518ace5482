"""How daemons get the messages that are due, each message one daemon at a time."""

# Rules of this file:
# - A daemon asks a thousand times a second: statements are built once, and one
#   transaction makes as few of them as it can.

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields, replace
from operator import attrgetter
from pickle import PickleBuffer
from typing import Any

from sqlalchemy import bindparam, select, update

from ..large import LARGE_OCTETS
from ..message import Lane
from . import tables
from .database import database_of
from .due import LANES
from .giveback import BACK_TO_WAITING
from .openrecipients import OpenRecipient, open_recipients
from .putoff import put_off_if_large
from .rounds import round_began
from .standing import MessageKey
from .statement import Statement, among_ids
from .states import State
from .store import Transaction

log = logging.getLogger("maildrop.queue")

message, schedule = tables.message, tables.schedule
content = tables.content


@dataclass(frozen=True, slots=True)
class Claim:
    """One message in the hands of one daemon, with all that its delivery needs.

    `recipients` are to be tried now; `more`: there are others, which are not named. The
    `deferred` were tried while these had to wait for another SMTP transaction, and have
    an attempt of their own later; `due` is no later than the first of their tries.
    `again`: all `recipients` were deferred before.
    """

    id: int
    owner: str
    recipients: tuple[OpenRecipient, ...]
    deferred: tuple[OpenRecipient, ...]
    more: bool
    again: bool
    lane: Lane
    sender: str
    header_id: str
    created: float
    since: float
    due: float
    attempts: int
    # From SQLite these are 0 or 1.
    possible_duplicate: bool
    warned: bool
    size: int
    # None where the queue has lost it, see `is_lost`: asked before anybody reads it.
    content: bytes

    @property
    def key(self) -> MessageKey:
        """Which message it is."""
        return MessageKey(self.id, self.created)

    @property
    def is_large(self) -> bool:
        """Whether its content is of the size that can fill the memory."""
        return self.size > LARGE_OCTETS

    @property
    def is_lost(self) -> bool:
        """Whether the queue has lost the content, so that nobody can send it."""
        return self.content is None

    def without_content(self) -> Claim:
        """The same claim, for whoever has to record only how it has ended."""
        return replace(self, content=b"")

    def __reduce__(self) -> tuple[type[Claim], tuple[object, ...]]:
        # Dataclasses with slots are pickled in a way that costs several times as much.
        # Large content may travel beside the rest, without a copy (PEP 574), unless the
        # queue has lost it.
        beside = self.is_large and self.content
        content = PickleBuffer(self.content) if beside else self.content
        return Claim, (*_FIELDS_BEFORE_CONTENT(self), content)


_FIELDS_BEFORE_CONTENT: Callable[[Claim], tuple[Any, ...]] = attrgetter(
    *(field.name for field in fields(Claim) if field.name != "content")
)

_MESSAGES = Statement(
    # In the order of Claim's fields.
    select(
        message.c.id,
        schedule.c.lane,
        message.c.sender,
        message.c.header_id,
        message.c.created,
        schedule.c.since,
        schedule.c.due,
        schedule.c.attempts,
        schedule.c.possible_duplicate,
        schedule.c.warned,
        message.c.size,
        content.c.data,
    )
    .join_from(message, schedule)
    # A message whose content is gone is claimed all the same: its sender is told, while
    # a claim that fails would stop all mail.
    .outerjoin(content, content.c.message_id == message.c.id)
    .where(among_ids(message.c.id)),
    octets=True,
)


def claim(
    tx: Transaction,
    owner: str,
    ids: Sequence[int],
    now: float,
    none_left: Callable[[], object] = lambda: None,
) -> list[Claim]:
    """Claim messages that `due` has found in the same transaction.

    They come in the order of `ids` where nobody else can claim meanwhile. Elsewhere
    another daemon may have been faster: then there are others of the same lanes that
    are due at `now`, or fewer; lane by lane, oldest due first. `none_left` is called
    when there is none. Left out are those whose record is lost or cannot be read, which
    have failed, and those too large for the memory, which wait.
    """
    ids = database_of(tx).take(tx, owner, ids, now)
    if not ids:
        none_left()
        return []
    try:
        return _read(tx, owner, ids)
    except tx.dialect.loaded_dbapi.Error as error:
        if not _is_of_a_row(tx, error):
            raise
    except MemoryError:
        pass  # What had been read was freed with the error.
    return _read_one_by_one(tx, owner, ids, now)


def _read(tx: Transaction, owner: str, ids: Sequence[int]) -> list[Claim]:
    recipients = open_recipients(tx, ids)
    loaded: dict[int, Claim] = {}
    for key, lane, *rest in _MESSAGES.rows(tx, ids=ids):
        loaded[key] = Claim(key, owner, *recipients[key], LANES[lane], *rest)
        if loaded[key].deferred:
            loaded[key] = _amid_its_round(tx, loaded[key])
    if len(loaded) < len(ids):
        lost = [key for key in ids if key not in loaded]
        _fail(tx, lost, "is lost from the queue")
    return [loaded[key] for key in ids if key in loaded]


def _amid_its_round(tx: Transaction, claimed: Claim) -> Claim:
    return replace(claimed, due=round_began(tx, claimed.id, claimed.due))


def _read_one_by_one(
    tx: Transaction, owner: str, ids: Sequence[int], now: float
) -> list[Claim]:
    claims: list[Claim] = []
    for key in ids:
        try:
            claims += _read(tx, owner, [key])
        except tx.dialect.loaded_dbapi.Error as error:
            if not _is_of_a_row(tx, error):
                raise
            _fail(tx, [key], "cannot be read")
        except MemoryError:
            _leave_for_later(tx, key, now)
    return claims


def _is_of_a_row(tx: Transaction, error: Exception) -> bool:
    database = database_of(tx)
    # A server has given up the transaction by now; nor does it store damaged text.
    return not database.shared and database.refuses(error)


_LEAVE = Statement(
    update(schedule)
    .where(schedule.c.message_id == bindparam("key"))
    .values(state=BACK_TO_WAITING, owner=None)
)


def _leave_for_later(tx: Transaction, key: int, now: float) -> None:
    if not put_off_if_large(tx, key, now):
        raise MemoryError
    _LEAVE.run(tx, key=key)
    log.error("id=%d: there is no memory for its content, it waits", key)


_FAIL = Statement(
    update(schedule)
    .where(among_ids(schedule.c.message_id))
    .values(state=State.FAILED.value, owner=None)
)


def _fail(tx: Transaction, ids: Sequence[int], why: str) -> None:
    """Fail damaged messages, keeping what is left; an error would stop all mail."""
    _FAIL.run(tx, ids=ids)
    for key in ids:
        log.error("id=%d: its record %s, it has failed", key, why)
