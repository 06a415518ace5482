"""The daemons of a queue: who is alive, and whose lease on its claims has ended."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import delete, insert, select, update

from ..clock import rfc3339
from ..system.identity import is_gone
from . import tables
from .database import database_of, moment, wake
from .giveback import recover
from .statement import Statement
from .store import Transaction

daemon = tables.daemon


@dataclass(frozen=True)
class Daemon:
    """One run of a daemon; its row is its heartbeat, and the lease of all its claims.

    One row for a daemon, not one for each claim: renewing costs the same however much
    is in flight. Times are seconds since the epoch.
    """

    owner: str
    host: str
    pid: int
    process: str
    doorbell: str
    relay: str
    started: float
    seen: float
    lease_until: float

    def alive(self, now: float) -> bool:
        """Whether its lease still runs, by the clock that has written it."""
        return self.lease_until > now

    def as_json(self) -> dict[str, Any]:
        """The daemon as `--json` and REST show it."""
        return {
            "host": self.host,
            "pid": self.pid,
            "started": rfc3339(self.started),
            "seen": rfc3339(self.seen),
            "relay": self.relay,
        }


def register(tx: Transaction, started: Daemon) -> None:
    """Announce a daemon that starts."""
    tx.execute(insert(daemon), started.__dict__)


def renew(
    tx: Transaction, owner: str, now: float, lease_seconds: float, relay: str
) -> bool:
    """Write the heartbeat; False when the lease was taken away: stop sending."""
    changed = tx.execute(
        update(daemon)
        .where(daemon.c.owner == owner)
        .values(seen=now, lease_until=now + lease_seconds, relay=relay)
    )
    return changed.rowcount == 1


def may_retire(tx: Transaction, owner: str) -> bool:
    """Whether nobody else has locked the row of a daemon; then `tx` has it locked.

    To be asked by whoever would otherwise wait for it, and have others wait.
    """
    row = select(daemon.c.owner).where(daemon.c.owner == owner)
    return tx.execute(row.with_for_update(skip_locked=True)).first() is not None


def retire(tx: Transaction, owner: str) -> None:
    """A daemon ends; what it still has claimed goes back as possible duplicates.

    What somebody has locked of that goes back later: see `recover_ownerless`.
    """
    # In this order: the deletion waits for its last heartbeat to be written.
    tx.execute(delete(daemon).where(daemon.c.owner == owner))
    if recover(tx, owner):
        wake(tx)


def retire_ended(tx: Transaction) -> None:
    """End those whose process has certainly ended, without a goodbye; see `retire`."""
    for each in all_daemons(tx):
        if _has_ended(tx, each) and may_retire(tx, each.owner):
            retire(tx, each.owner)


def all_daemons(tx: Transaction) -> list[Daemon]:
    """Every daemon that has not retired, the longest running first."""
    rows = tx.execute(select(daemon).order_by(daemon.c.started))
    return [Daemon(**row._mapping) for row in rows]


def alive_and_lost(
    tx: Transaction, now: float
) -> tuple[tuple[Daemon, ...], tuple[Daemon, ...]]:
    """The daemons that work on the queue, and those that ended without a goodbye.

    The leases of a shared queue go by the database server's clock, not by `now`. The
    lease of a daemon that was killed, or went down with its machine, runs on for a
    while: so each `process` is looked for.
    """
    now = moment(tx, now)
    known = all_daemons(tx)
    alive = tuple(
        each for each in known if each.alive(now) and not _has_ended(tx, each)
    )
    return alive, tuple(each for each in known if each not in alive)


def _has_ended(tx: Transaction, each: Daemon) -> bool:
    """Whether its process has certainly ended."""
    # All daemons of a queue that is not shared have run on this machine.
    return is_gone(each.process, here=not database_of(tx).shared)


_DOORBELLS = Statement(select(daemon.c.doorbell))


def doorbells(tx: Transaction) -> tuple[str, ...]:
    """Where the daemons listen, to be rung after the commit.

    Of those that are lost as well: it costs less to ring there than to tell them apart.
    """
    return tuple(path for (path,) in _DOORBELLS.rows(tx))
