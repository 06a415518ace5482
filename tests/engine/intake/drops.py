"""Files dropped for the daemon, and what became of them."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from contextlib import contextmanager
from pathlib import Path

from collective.maildrophost.engine.intake import scan as module
from collective.maildrophost.engine.queue import list_messages

MAIL = b"##To:b@x.org\n##From:a@x.org\nMessage-Id: <1@x>\nSubject: hello\n\nbody\n"


class Killed(BaseException):
    """Ends an intake where it stands, as a kill does."""


def kill(*arguments):
    raise Killed


class Ahead:
    """The module `time`, with a time of day that was set forward."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds

    def __getattr__(self, name: str):
        return getattr(time, name)

    def time(self) -> float:
        return time.time() + self._seconds


class _Read:
    """An open file whose content goes through `read` once all of it was read."""

    def __init__(self, file, read: Callable[[bytes], bytes]) -> None:
        self._file = file
        self._read = read

    def __getattr__(self, name):
        return getattr(self._file, name)

    def readall(self) -> bytes:
        return self._read(self._file.readall())


def when_read(monkeypatch, read: Callable[[bytes], bytes]) -> None:
    """Have `read` called with the content of each dropped file, and used instead."""
    opened = module.opened

    @contextmanager
    def opening(path, found):
        with opened(path, found) as file:
            yield _Read(file, read)

    monkeypatch.setattr(module, "opened", opening)


def drop(spool: Path, name: str, data: bytes = MAIL) -> Path:
    (spool / name).write_bytes(data)
    return spool / name


def messages(queue):
    with queue.read() as tx:
        return list_messages(tx)


def errors(caplog):
    return [each.getMessage() for each in caplog.records if each.levelname == "ERROR"]


def put_back(kept: Path, dropped: Path, data: bytes) -> None:
    """Drop another mail that looks the same to the file system, as `cp -p` may make."""
    found = kept.stat()
    kept.write_bytes(data)
    os.utime(kept, ns=(found.st_atime_ns, found.st_mtime_ns))
    os.link(kept, dropped)
    again = dropped.stat()
    assert (again.st_ino, again.st_size) == (found.st_ino, found.st_size)
    assert again.st_mtime_ns == found.st_mtime_ns
