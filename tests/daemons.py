"""Rows of daemons, each as one that works on a queue writes its own."""

from __future__ import annotations

from dataclasses import replace

from collective.maildrophost.engine.queue import Daemon, Queue, all_daemons

LEASE_SECONDS = 60.0


def daemon_seen(now: float, **special: object) -> Daemon:
    """A daemon that beat at `now`, and what is special about it."""
    usual = Daemon(
        owner="one",
        host="host",
        pid=1,
        process="",
        doorbell="",
        relay="relay:25",
        started=now,
        seen=now,
        lease_until=now + LEASE_SECONDS,
    )
    return replace(usual, **special)


def rows(queue: Queue) -> list[Daemon]:
    """What the daemons of a queue have written."""
    with queue.read() as tx:
        return all_daemons(tx)
