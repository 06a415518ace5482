"""Whether the queue opens and keeps its promises."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from typing import TYPE_CHECKING

from .. import heartbeats
from .finding import Finding, failed, ok, warning

if TYPE_CHECKING:
    from ...config import Configuration

SUBJECT = "queue"


def check(configuration: Configuration) -> Iterator[Finding]:
    """The database, its schema, its library."""
    yield _opens(configuration)
    if configuration.queue.startswith("sqlite"):
        yield _library()


def _opens(configuration: Configuration) -> Finding:
    from ...queue import QueueError, open_queue, queue_length

    if not heartbeats.queue_exists(configuration):
        return ok(SUBJECT, f"{configuration.queue} is made by the first start")
    try:
        queue = open_queue(configuration.queue)
        try:
            with queue.read() as tx:
                waiting = queue_length(tx)
            with queue.write():
                pass  # taking the lock shows that it can be written
        finally:
            queue.close()
    except QueueError as error:
        return failed(SUBJECT, str(error))
    return ok(SUBJECT, f"{configuration.queue} opens, {waiting} messages wait")


def _library() -> Finding:
    from ...queue.sqlite import has_wal_reset_bug

    version = sqlite3.sqlite_version
    if has_wal_reset_bug(sqlite3.sqlite_version_info):
        return warning(
            SUBJECT,
            f"SQLite {version} can damage a database under rare circumstances "
            "(sqlite.org/wal.html#walresetbug): 3.51.3 or later is safe",
        )
    return ok(SUBJECT, f"SQLite {version}")
