"""How daemons claim from one PostgreSQL, many of them at the same time."""

# Each takes what it has chosen, or as many others of the same lanes where somebody was
# faster. It locks what it takes and nothing else: a row that is locked and not taken
# would be skipped by all the others, which would think that nothing is due.
#
# The others that it takes are small: for a large one it may have no room.

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection, text

from ...large import LARGE_OCTETS
from .. import tables
from ..statement import Statement

_TAKE = Statement(
    text(f"""
    WITH share AS MATERIALIZED (
        SELECT lane, count(*) AS most
        FROM maildrop_schedule
        WHERE message_id = ANY (CAST(:ids AS bigint[]))
        GROUP BY lane
    ),
    taken AS MATERIALIZED (
        SELECT oldest.message_id, oldest.lane, oldest.due
        FROM share CROSS JOIN LATERAL (
            SELECT message_id, lane, due
            FROM maildrop_schedule
            WHERE {tables.WAITING_SQL.text}
              AND lane = share.lane
              AND due <= :now
              AND (
                  message_id = ANY (CAST(:ids AS bigint[]))
                  OR (SELECT size FROM maildrop_message WHERE id = message_id)
                     <= {LARGE_OCTETS}
              )
            ORDER BY due, message_id
            LIMIT share.most
            FOR UPDATE SKIP LOCKED
        ) AS oldest
    ),
    claimed AS (
        UPDATE maildrop_schedule AS schedule
        SET state = 'sending', owner = :new_owner
        FROM taken
        WHERE schedule.message_id = taken.message_id
    )
    SELECT message_id FROM taken ORDER BY lane, due, message_id
    """)  # noqa: S608  only constants are in it
)


def take(tx: Connection, owner: str, ids: Sequence[int], now: float) -> list[int]:
    """Claim as many messages as `ids` has, of the same lanes; returns their ids."""
    rows = _TAKE.rows(tx, ids=ids, new_owner=owner, now=now)
    return [key for (key,) in rows]
