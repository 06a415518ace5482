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


def _share_with_other_daemons(tx: Connection) -> None:
    # The primary key changes: SQLite can't do that to a table that is there.
    for statement in (
        "ALTER TABLE maildrop_hour RENAME TO maildrop_hour_of_all",
        """CREATE TABLE maildrop_hour (
            hour BIGINT NOT NULL,
            owner VARCHAR(32) NOT NULL,
            sent INTEGER NOT NULL,
            deferred INTEGER NOT NULL,
            failed INTEGER NOT NULL,
            CONSTRAINT maildrop_hour_by_owner PRIMARY KEY (hour, owner)
        )""",
        "INSERT INTO maildrop_hour (hour, owner, sent, deferred, failed) "
        "SELECT hour, '', sent, deferred, failed FROM maildrop_hour_of_all",
        "DROP TABLE maildrop_hour_of_all",
        """CREATE TABLE maildrop_pace (
            relay TEXT NOT NULL PRIMARY KEY,
            last_start DOUBLE PRECISION NOT NULL
        )""",
    ):
        tx.exec_driver_sql(statement)


def _remember_whose_batches_these_are(tx: Connection) -> None:
    tx.exec_driver_sql(
        """CREATE TABLE maildrop_batch (
            batch VARCHAR(32) NOT NULL PRIMARY KEY,
            process TEXT NOT NULL,
            voted BOOLEAN NOT NULL,
            log TEXT NOT NULL
        )"""
    )


def _have_new_tables_cleared_often(tx: Connection) -> None:
    # The earlier steps made them without the settings of a new queue: see tables.py.
    if tx.dialect.name != "postgresql":
        return
    for table in ("maildrop_hour", "maildrop_pace", "maildrop_batch"):
        tx.exec_driver_sql(
            f"""ALTER TABLE {table} SET (
                autovacuum_vacuum_scale_factor = 0.0,
                autovacuum_vacuum_threshold = 200,
                autovacuum_vacuum_insert_scale_factor = 0.02,
                autovacuum_analyze_scale_factor = 0.02,
                autovacuum_vacuum_cost_delay = 0,
                fillfactor = 20
            )"""
        )


STEPS: tuple[Step, ...] = (
    _remember_who_was_told,
    _share_with_other_daemons,
    _remember_whose_batches_these_are,
    _have_new_tables_cleared_often,
)
"""The first step brings version 1 to 2; a step that was released never changes. A new
column has a default: until they are restarted, programs of the version before write
without it, and a verdict that the tables refuse is lost."""

VERSION = 1 + len(STEPS)


def version(tx: Connection) -> int:
    """The schema version of the queue; 0 for an empty database."""
    if not inspect(tx).has_table(schema.name):
        return 0
    found: int = tx.execute(select(schema.c.version)).scalar_one()
    return found


def check(tx: Connection) -> int:
    """As `version`; NewerSchema when a later version of the software has been here."""
    found = version(tx)
    if found > VERSION:
        raise NewerSchema(found, VERSION)
    return found


def upgrade(tx: Connection) -> None:
    """Make the tables, or run the steps that are missing, in the caller's transaction.

    Raises NewerSchema, see `check`.
    """
    found = check(tx)
    if found == 0:
        metadata.create_all(tx)
        tx.execute(insert(schema).values(version=VERSION))
        return
    for step in STEPS[found - 1 :]:
        step(tx)
    tx.execute(update(schema).values(version=VERSION))
