"""Whether the queue opens and keeps its promises."""

from __future__ import annotations

import os
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

from ..output import messages
from .directories import refusal
from .finding import Finding, failed, ok, warning

if TYPE_CHECKING:
    from ...config import Configuration

SUBJECT = "queue"
PATIENCE_SECONDS = 3.0
"""For a lock; a transaction of ours takes far less."""


def check(configuration: Configuration) -> Iterator[Finding]:
    """The database, its schema, its library."""
    if not configuration.queue.startswith("sqlite"):
        yield from _opens(configuration)
        return
    path = _path(configuration)
    # Opening the queue would wait for the same lock.
    if locked := _locked(path):
        yield locked
    else:
        yield from _opens(configuration)
    yield from _lasts(path)
    yield from _room(path)
    yield from _owners(path)
    yield _library()


def _opens(configuration: Configuration) -> Iterator[Finding]:
    from ...queue import (
        QueueError,
        aside_length,
        exists,
        held_lanes,
        open_queue,
        queue_length,
    )

    try:
        if not exists(configuration.queue):
            yield _made_by_the_first_start(configuration)
            return
        with closing(open_queue(configuration.queue)) as queue:
            with queue.read() as tx:
                waiting, aside = queue_length(tx), aside_length(tx)
                held = held_lanes(tx)
                risks = queue.database.risks(tx)
            with queue.write() as tx:
                # Taking the lock shows that it can be written.
                lacking = queue.database.lacking(tx)
    except QueueError as error:
        yield failed(SUBJECT, str(error))
        return
    if lacking:
        yield failed(
            SUBJECT,
            f"{queue.name} opens, but this role lacks {'; '.join(lacking)}: see the "
            "grants in docs/scaling.md",
        )
        return
    yield ok(SUBJECT, f"{queue.name} opens, {messages(waiting)} waiting")
    if aside:
        yield warning(
            SUBJECT,
            f"{messages(aside)} on the way to another queue, and not sent from here: "
            "if no 'import' is running, run it again for the other queue",
        )
    for lane in held:
        yield warning(
            SUBJECT,
            f"lane {lane.label} is held by a person, its mail waits: 'release --lane "
            f"{lane.label}' lets it go on",
        )
    for risk in risks:
        yield warning(SUBJECT, risk)


def _made_by_the_first_start(configuration: Configuration) -> Finding:
    from ...daemon.directories import places

    directory = Path(os.path.realpath(_path(configuration).parent))
    made_before = [
        Path(os.path.realpath(place.directory)) for place in places(configuration)
    ]
    for each in (directory, directory.parent):
        # A start makes no directory above the queue's: see queue/sqlite/database.py.
        if os.path.isdir(each) or any(
            each in (made, *made.parents) for made in made_before
        ):
            return ok(SUBJECT, f"{configuration.queue} is made by the first start")
    return failed(
        SUBJECT,
        f"{configuration.queue}: there is no {directory.parent}: make it by hand, or "
        "mount it",
    )


def _path(configuration: Configuration) -> Path:
    from sqlalchemy.engine import make_url

    from ...queue.sqlite.database import path_of

    return path_of(make_url(configuration.queue))


def _locked(path: Path) -> Finding | None:
    """What is wrong when somebody keeps the queue from being written."""
    from ...queue.sqlite.lock import is_locked

    if not os.path.isfile(path):
        return None
    try:
        _take_lock(path)
    except sqlite3.OperationalError as error:
        if is_locked(error):
            return failed(
                SUBJECT,
                f"{path} has been locked by another program for "
                f"{PATIENCE_SECONDS:.0f} seconds, no mail can be queued: "
                f"'fuser {path}' names who has it open",
            )
    except sqlite3.Error:
        pass
    return None  # anything else is reported when the queue is opened


def _take_lock(path: Path) -> None:
    """Take the lock as a mail does, let it go; raises sqlite3.Error, makes no queue."""
    from ...queue.sqlite.connection import connect
    from ...queue.sqlite.lock import once_unlocked

    until = time.monotonic() + PATIENCE_SECONDS
    with closing(connect(path, timeout=0, isolation_level=None)) as queue:
        once_unlocked(lambda: queue.execute("BEGIN IMMEDIATE"), lambda: until)
        queue.execute("ROLLBACK")


def _lasts(path: Path) -> Iterator[Finding]:
    from ...queue.sqlite.filesystem import risks

    for risk in risks(path):
        yield warning(SUBJECT, risk)


def _room(path: Path) -> Iterator[Finding]:
    """Whether there is room for a mail: that the queue can be locked does not tell."""
    if os.path.isfile(path) and (reason := refusal(path.parent)):
        yield failed(SUBJECT, f"no mail can be queued in {path.parent}: {reason}")


def _owners(path: Path) -> Iterator[Finding]:
    """Files that are not ours, or that we cannot write though they are."""
    user = os.geteuid()
    for name in (path.name, f"{path.name}-wal", f"{path.name}-shm"):
        file = path.with_name(name)
        try:
            owner = file.stat().st_uid
        except OSError:
            continue
        if owner == user:
            # BEGIN IMMEDIATE does not show it: on a file that may only be read, SQLite
            # begins a reading transaction instead.
            if not os.access(file, os.W_OK):
                yield failed(SUBJECT, f"{file} is read-only: chmod u+w {file}")
            continue
        what = f"{file} belongs to user {_name(owner)}, you are {_name(user)}"
        if user == 0:
            yield warning(SUBJECT, f"{what}: run maildropctl as {_name(owner)}")
        else:
            yield failed(
                SUBJECT,
                f"{what}: run maildropctl as {_name(owner)}, or chown it to the user "
                "of Zope and of the daemon",
            )


def _name(user: int) -> str:
    import pwd

    try:
        return pwd.getpwuid(user).pw_name
    except KeyError:
        return str(user)


def _library() -> Finding:
    from ...queue.sqlite.database import has_wal_reset_bug

    version = sqlite3.sqlite_version
    if has_wal_reset_bug(sqlite3.sqlite_version_info):
        return warning(
            SUBJECT,
            f"SQLite {version} can damage a database under rare circumstances "
            "(sqlite.org/wal.html#walresetbug): 3.51.3 or later is safe, and so are "
            "3.50.7 and 3.44.6",
        )
    return ok(SUBJECT, f"SQLite {version}")
