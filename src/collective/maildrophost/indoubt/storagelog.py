"""What the logs of ZODB's storages tell of a transaction.

When a storage commits, it writes the transaction's extended info, which has the ids of
its batches, into its log. If they are there, the transaction has committed. If not, it
has not, provided that the log is the right one and complete: it still has the
transaction that was the last one at the vote, and was not packed since.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from ZODB.Connection import Connection

from collective.maildrophost.indoubt.endings import Ending

EXTENDED_INFO = "maildrop_batches"
"""The key, in a transaction's extended info, of the list of its batches."""
PACKED = "p"

logger = logging.getLogger("maildrop.zope")


def reference(resources: Iterable[Any]) -> str:
    """Where to look up the transaction of these, once they have voted; "" for nowhere.

    As JSON: for each connection that writes something, the last transaction it sees.
    """
    ends = {
        connection.db().database_name: _end(connection)
        for connection in resources
        # Storages need not log a transaction that changes nothing.
        if isinstance(connection, Connection) and _stores(connection)
    }
    return json.dumps(ends) if ends else ""


def _stores(connection: Connection) -> bool:
    # Not public; every object stored in this commit is in one of the two.
    return bool(connection._modified or connection._creating)


def _end(connection: Connection) -> str | None:
    """The id of the last transaction; None when its log can't be searched later."""
    if not _keeps_log(connection.db().storage):
        return None
    # Not public, either. The database would ask its own RelStorage, which nobody polls:
    # it would repeat its first answer, and keep a transaction open for that.
    last: bytes = connection._storage.lastTransaction()
    return last.hex() if last and any(last) else None


def _keeps_log(storage: Any) -> bool:
    # RelStorage without history has an iterator, but no info of any transaction.
    supports_undo = getattr(storage, "supportsUndo", lambda: False)
    return hasattr(storage, "iterator") and bool(supports_undo())


@dataclass(frozen=True)
class _Part:
    """What a log says, read from a certain transaction on."""

    batches: frozenset[str] = frozenset()
    complete_since: frozenset[str] = frozenset()
    """Transactions after which nothing is missing."""


def endings(
    databases: Mapping[str, Any], references: Mapping[str, str]
) -> dict[str, Ending]:
    """What became of each batch, by its reference."""
    ends = {batch: json.loads(text or "{}") for batch, text in references.items()}
    parts = {
        name: _read(name, databases.get(name), wanted)
        for name, wanted in _by_database(ends.values()).items()
    }
    return {batch: _ending(batch, where, parts) for batch, where in ends.items()}


def _by_database(ends: Iterable[Mapping[str, str | None]]) -> dict[str, set[str]]:
    wanted: dict[str, set[str]] = {}
    for where in ends:
        for name, end in where.items():
            if end is not None:
                wanted.setdefault(name, set()).add(end)
    return wanted


def _ending(
    batch: str, where: Mapping[str, str | None], parts: Mapping[str, _Part]
) -> Ending:
    if any(batch in parts[name].batches for name in where if name in parts):
        return Ending.COMMITTED
    # It may have been cut off between two databases: all of them have to say no.
    all_say_no = where and all(
        end is not None and end in parts[name].complete_since
        for name, end in where.items()
    )
    return Ending.ABORTED if all_say_no else Ending.UNKNOWN


def _read(name: str, database: Any, ends: set[str]) -> _Part:
    if database is None or not _keeps_log(database.storage):
        return _Part()
    try:
        return _search(database.storage, ends)
    except Exception as error:
        # A log in trouble says nothing: the batch waits for a better moment.
        logger.warning("the log of database %s can't be read: %s", name, error)
        return _Part()


def _search(storage: Any, ends: set[str]) -> _Part:
    batches: set[str] = set()
    complete_since: set[str] = set()
    records = storage.iterator(bytes.fromhex(min(ends)))
    try:
        for record in records:
            if record.tid.hex() in ends and _status(record) != PACKED:
                complete_since.add(record.tid.hex())
            batches.update((record.extension or {}).get(EXTENDED_INFO, ()))
    finally:
        close = getattr(records, "close", None)
        if close is not None:
            close()
    return _Part(frozenset(batches), frozenset(complete_since))


def _status(record: Any) -> str:
    status = record.status
    return status.decode("ascii") if isinstance(status, bytes) else str(status)
