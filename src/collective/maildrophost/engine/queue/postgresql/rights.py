"""What a role may not do that daily work needs: docs/scaling.md has the grants."""

from __future__ import annotations

from sqlalchemy import Connection, text

from .. import tables
from ..statement import Statement

_NAMES = ", ".join(
    f"'{name}'" for name in tables.metadata.tables if name != tables.schema.name
)
_LACKING = Statement(
    text(f"""
    SELECT string_agg(kind, ', ') || ' on ' || name
    FROM unnest(ARRAY[{_NAMES}]) AS name,
        unnest(ARRAY['SELECT', 'INSERT', 'UPDATE', 'DELETE']) AS kind
    WHERE NOT has_table_privilege(name, kind)
    GROUP BY name
    UNION ALL
    SELECT 'USAGE on sequence ' || sequence
    FROM pg_get_serial_sequence('{tables.message.name}', 'id') AS sequence
    WHERE NOT has_sequence_privilege(sequence, 'USAGE')
    """)  # noqa: S608  only constants are in it
)


def lacking(tx: Connection) -> list[str]:
    """The rights that the role of `tx` lacks, by their names in SQL."""
    return [rights for (rights,) in _LACKING.rows(tx)]
