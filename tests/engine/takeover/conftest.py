"""Old queues beside a queue of ours."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from collective.maildrophost.engine.queue import (
    MessageRecord,
    Queue,
    content,
    list_messages,
)
from collective.maildrophost.engine.takeover import (
    Left,
    Taken,
    look_through,
    take,
    taking,
)


class Moved:
    """What is taken over from an old queue into a new one."""

    def __init__(self, queue: Queue, directory: Path) -> None:
        self.queue = queue
        self.directory = directory
        self._age = 10_000

    def put(self, name: str, data: bytes) -> Path:
        """A file that is younger than those before."""
        path = self.directory / name
        path.write_bytes(data)
        self._age -= 1
        when = path.stat().st_mtime - self._age
        os.utime(path, (when, when))
        return path

    def take(self) -> list[Taken | Left]:
        return [
            each if isinstance(each, Left) else take(self.queue, each, True)
            for each in look_through(self.directory)
        ]

    @property
    def messages(self) -> list[MessageRecord]:
        with self.queue.read() as tx:
            every = list_messages(tx)
        return sorted(every, key=lambda each: int(each.id))

    def text(self, message: MessageRecord) -> bytes:
        with self.queue.read() as tx:
            found = content(tx, message.id)
        assert found is not None
        return found

    @property
    def files(self) -> list[str]:
        """What is left in the old queue."""
        return sorted(
            str(path.relative_to(self.directory))
            for path in self.directory.rglob("*")
            if path.is_file()
        )


@pytest.fixture
def moved(queue, tmp_path, monkeypatch) -> Callable[..., Moved]:
    """An empty old queue with the given folders."""
    # The waiting itself has tests of its own, with the real time.
    monkeypatch.setattr(taking, "QUIET_SECONDS", 0.0)

    def make(*folders: str) -> Moved:
        directory = tmp_path / "old"
        for folder in ("", *folders):
            (directory / folder).mkdir()
        return Moved(queue, directory)

    return make
