"""Where a recorded queue is kept, and how what a power cut left of it is opened."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any, Protocol

from engine.conftest import Site
from proof.powercut.disk import Files
from sqlalchemy import text

from collective.maildrophost.engine.queue import Queue, open_queue


class Database(Protocol):
    """A queue in files below the site's home, which is what is recorded."""

    site: Site
    url: str
    start: Files
    """What is there, and synced, before the first program starts."""
    server: dict[str, Any] | None
    """How the server is started, as Popen is told; None: there is none."""
    directory: Path
    """Where all programs of a recording work."""
    left_out: tuple[str, ...]
    """The ends of the names of files that nobody reads after a power cut."""

    def prepare(self, home: Path) -> None:
        """Make files that were written by us files of the server."""

    def opened(self, home: Path) -> AbstractContextManager[Queue]:
        """The queue that is in a rebuilt `home`; QueueError: there is none."""

    def damage(self, queue: Queue) -> Iterator[str]:
        """What the database finds wrong in itself."""


class SQLite:
    """One file."""

    start: Files = {}
    server = None
    # Written through a mapping; what an earlier run left is not read.
    left_out = ("-shm",)

    def __init__(self, site: Site) -> None:
        self.site = site
        self.url = site.configuration.queue
        self.directory = site.home
        self._name = Path(site.queue.path).name
        site.queue.close()

    def prepare(self, home: Path) -> None:
        """Nothing: all files are ours."""

    @contextmanager
    def opened(self, home: Path) -> Iterator[Queue]:
        queue = open_queue(f"sqlite:///{home / self._name}")
        try:
            yield queue
        finally:
            queue.close()

    def damage(self, queue: Queue) -> Iterator[str]:
        with queue.read() as tx:
            (verdict,) = tx.execute(text("PRAGMA integrity_check")).first()
            if verdict != "ok":
                yield f"integrity_check: {verdict}"
            for row in tx.execute(text("PRAGMA foreign_key_check")):
                yield f"foreign_key_check: {row}"
