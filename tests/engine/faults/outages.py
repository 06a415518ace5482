"""What can befall the queue while a daemon works on it."""

from __future__ import annotations

import os
import resource
import signal
import sqlite3
from contextlib import contextmanager

from engine.processes import children, state
from waiting import PATIENCE_SECONDS, wait_until


def locked(site):
    """Another program has the queue, and keeps it."""
    return locked_by_another(site.queue)


@contextmanager
def locked_by_another(queue):
    other = sqlite3.connect(queue.path, PATIENCE_SECONDS, isolation_level=None)
    other.execute("BEGIN EXCLUSIVE")
    try:
        yield
    finally:
        other.execute("ROLLBACK")
        other.close()


def hang(pid, queue):
    """Stop the process as it stands, but not while it keeps all others from writing."""
    with locked_by_another(queue):
        os.kill(pid, signal.SIGSTOP)
        wait_until(lambda: state(pid) == "T", what="the stop")


@contextmanager
def gone(site):
    """Somebody moves the queue's file away, and puts it back."""
    away = site.queue.path.with_suffix(".away")
    site.queue.path.rename(away)
    try:
        yield
        assert not site.queue.path.exists(), "another one was made"
    finally:
        away.rename(site.queue.path)


@contextmanager
def full(site):
    """No file of the daemon can grow beyond what its journal has now."""
    size = site.queue.path.with_name("queue.db-wal").stat().st_size
    (pid,) = [each.pid for each in site.daemons]
    (books,) = children(pid)
    before = resource.prlimit(pid, resource.RLIMIT_FSIZE)
    for each in pid, books:
        resource.prlimit(each, resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        for each in pid, books:
            resource.prlimit(each, resource.RLIMIT_FSIZE, before)
