"""A queue on a PostgreSQL server whose files are recorded."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg
from engine.conftest import Site
from proof.powercut.disk import files_below
from servers.postgresql import UNPRIVILEGED, PostgreSQL

from collective.maildrophost.engine.queue import Queue, QueueError, open_queue

SMALL = {
    "shared_buffers": "1MB",
    "max_wal_size": "2MB",
    "min_wal_size": "2MB",
    "checkpoint_warning": 0,
    "autovacuum_naptime": "1s",
    "autovacuum_vacuum_cost_delay": 0,
    # Both as they come on Linux; io_uring has calls that are not traced.
    "wal_sync_method": "fdatasync",
    "io_method": "worker",
}
"""So that pages are written early, and checkpoints and vacuuming fall into a run."""
CAREFREE = {"fsync": "off", "autovacuum": "off", "shared_buffers": "32MB"}
"""What is left by a cut is only looked at."""
RECOVERY_SECONDS = 10.0
"""A hundred times of what it takes."""

# Every page of every table, every entry of every index.
_TABLES = """
    SELECT oid::regclass, corruption.blkno, corruption.msg
    FROM pg_class, verify_heapam(oid) AS corruption
    WHERE relkind IN ('r', 't') AND relpersistence = 'p'
"""
_INDEXES = """
    SELECT bt_index_check(indexrelid, heapallindexed => true)
    FROM pg_index
    JOIN pg_class ON pg_class.oid = indexrelid
    JOIN pg_am ON pg_am.oid = relam
    WHERE amname = 'btree' AND indisvalid AND indisready AND relpersistence = 'p'
"""


class Cluster:
    """One database of a `server`, and that server's data directory."""

    # The id of a process that was cut off; whoever starts a server removes it where
    # that process is gone.
    left_out = ("postmaster.pid",)

    def __init__(self, server: PostgreSQL) -> None:
        self._server = server
        self._database = server.create()
        self.url = server.url(self._database)
        server.execute("CREATE EXTENSION amcheck", self._database)
        # They are half of all files, which each cut would write anew.
        for template in ("template0", "template1"):
            server.execute(f"ALTER DATABASE {template} IS_TEMPLATE false")
            server.drop(template)
        server.stop()
        home = server.directory / "home"
        home.mkdir()
        self.directory = server.data = server.data.rename(home / "data")
        self.start = files_below(home)
        self.server: dict[str, Any] | None = server.program()
        self.prepare(home)
        with self.opened(home):
            self.site = Site(home, self.url)
            self.site.queue.close()

    def prepare(self, home: Path) -> None:
        home.chmod(0o755)
        if os.getuid() == 0:
            for path in (home / "data", *(home / "data").rglob("*")):
                shutil.chown(path, UNPRIVILEGED)

    @contextmanager
    def opened(self, home: Path) -> Iterator[Queue]:
        self.prepare(home)
        with self._started(home / "data"):
            queue = open_queue(self.url)
            try:
                yield queue
            finally:
                queue.close()

    @contextmanager
    def _started(self, data: Path) -> Iterator[None]:
        server, seen = self._server, len(self._server.log)
        server.data = data
        try:
            try:
                server.start(RECOVERY_SECONDS, **CAREFREE)
            except AssertionError:
                last = " / ".join(server.log[seen:].splitlines()[-5:])
                raise QueueError(self.url, f"no server starts: {last}") from None
            yield
        finally:
            server.abort()

    def damage(self, queue: Queue) -> Iterator[str]:
        try:
            for row in self._server.execute(_TABLES, self._database):
                yield f"verify_heapam: {row}"
            self._server.execute(_INDEXES, self._database)
        except psycopg.Error as error:
            yield f"amcheck: {error}"


@contextmanager
def cluster(**settings: object) -> Iterator[Cluster]:
    """A server of its own, with all that it needs."""
    with PostgreSQL(durable=True, wal_megabytes=1, **{**SMALL, **settings}) as server:
        yield Cluster(server)
