"""The numbered steps that bring a queue to the schema of this version."""

from __future__ import annotations

from collections.abc import Callable

from sqlalchemy import Connection, insert, inspect, select, update

from .errors import NewerSchema
from .tables import metadata, schema

Step = Callable[[Connection], None]


def _make_tables(tx: Connection) -> None:
    metadata.create_all(tx)


STEPS: tuple[Step, ...] = (_make_tables,)
"""Step N brings version N to N + 1; a step that was released never changes."""

VERSION = len(STEPS)


def version(tx: Connection) -> int:
    """The schema version of the queue; 0 for an empty database."""
    if not inspect(tx).has_table(schema.name):
        return 0
    found: int = tx.execute(select(schema.c.version)).scalar_one()
    return found


def upgrade(tx: Connection) -> None:
    """Run the steps that are missing, in the transaction of the caller.

    Raises NewerSchema when a later version of the software has been here.
    """
    found = version(tx)
    if found > VERSION:
        raise NewerSchema(found, VERSION)
    for step in STEPS[found:]:
        step(tx)
    if found == 0:
        tx.execute(insert(schema).values(version=VERSION))
    elif found < VERSION:
        tx.execute(update(schema).values(version=VERSION))
