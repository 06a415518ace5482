"""The numbered steps that bring a queue to the schema of this version."""

from __future__ import annotations

from collections.abc import Callable

from sqlalchemy import Connection, insert, inspect, select, update

from .errors import NewerSchema
from .tables import metadata, schema

Step = Callable[[Connection], None]


def _remember_who_was_told(tx: Connection) -> None:
    for table, column in (("maildrop_schedule", "warned"), ("maildrop_relay", "told")):
        tx.exec_driver_sql(
            f"ALTER TABLE {table} ADD COLUMN {column} BOOLEAN NOT NULL DEFAULT FALSE"
        )


STEPS: tuple[Step, ...] = (_remember_who_was_told,)
"""The first step brings version 1 to 2; a step that was released never changes."""

VERSION = 1 + len(STEPS)


def version(tx: Connection) -> int:
    """The schema version of the queue; 0 for an empty database."""
    if not inspect(tx).has_table(schema.name):
        return 0
    found: int = tx.execute(select(schema.c.version)).scalar_one()
    return found


def upgrade(tx: Connection) -> None:
    """Make the tables, or run the steps that are missing, in the caller's transaction.

    Raises NewerSchema when a later version of the software has been here.
    """
    found = version(tx)
    if found > VERSION:
        raise NewerSchema(found, VERSION)
    if found == 0:
        metadata.create_all(tx)
        tx.execute(insert(schema).values(version=VERSION))
        return
    for step in STEPS[found - 1 :]:
        step(tx)
    tx.execute(update(schema).values(version=VERSION))
