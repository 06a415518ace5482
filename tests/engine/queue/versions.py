"""How a queue of this version becomes one of an earlier version."""

from __future__ import annotations

TO_THE_FIRST_VERSION = (
    "ALTER TABLE maildrop_schedule DROP COLUMN warned",
    "ALTER TABLE maildrop_relay DROP COLUMN told",
    "DROP TABLE maildrop_pace",
    "DROP TABLE maildrop_batch",
    "DROP TABLE maildrop_hour",
    "CREATE TABLE maildrop_hour (hour BIGINT NOT NULL PRIMARY KEY, "
    "sent INTEGER NOT NULL, deferred INTEGER NOT NULL, failed INTEGER NOT NULL)",
    "INSERT INTO maildrop_hour VALUES (1799996400, 7, 2, 1)",
    "UPDATE maildrop_schema SET version = 1",
)
