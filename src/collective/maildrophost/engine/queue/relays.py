"""The faults of relays: what is wrong since when, and until when nothing is tried."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import delete, insert, select, update

from . import tables
from .store import Transaction

relay = tables.relay


@dataclass(frozen=True)
class RelayPause:
    """A relay that is at fault. Times are seconds since the epoch."""

    name: str
    fault: str
    since: float
    paused_until: float
    failures: int


def pause(tx: Transaction, paused: RelayPause) -> None:
    """Record a relay's fault, or that it goes on; its first `since` is kept."""
    values = {
        "fault": paused.fault,
        "paused_until": paused.paused_until,
        "failures": paused.failures,
    }
    changed = tx.execute(
        update(relay).where(relay.c.name == paused.name).values(**values)
    )
    if changed.rowcount == 0:
        tx.execute(insert(relay), paused.__dict__)


def clear(tx: Transaction, name: str) -> bool:
    """The relay works again; True when it had a fault."""
    return tx.execute(delete(relay).where(relay.c.name == name)).rowcount > 0


def pauses(tx: Transaction) -> list[RelayPause]:
    """Every relay at fault, the longest first."""
    rows = tx.execute(select(relay).order_by(relay.c.since))
    return [RelayPause(**row._mapping) for row in rows]
