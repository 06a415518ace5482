"""The faults of relays: what is wrong since when, and until when nothing is tried."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import delete, false, insert, select, update

from . import tables
from .store import Transaction

relay = tables.relay


@dataclass(frozen=True)
class RelayPause:
    """A relay that is at fault. Times are seconds since the epoch.

    `told`: the postmaster knows.
    """

    name: str
    fault: str
    since: float
    paused_until: float
    failures: int
    told: bool = False


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


def mark_told(tx: Transaction, name: str) -> bool:
    """The postmaster is being told of a relay's fault; False when that was done."""
    changed = tx.execute(
        update(relay)
        .where(relay.c.name == name, relay.c.told == false())
        .values(told=True)
    )
    return changed.rowcount == 1


def clear(tx: Transaction, name: str) -> RelayPause | None:
    """The relay works again; the fault that it had, None: it had none."""
    ended = delete(relay).where(relay.c.name == name).returning(*relay.c)
    row = tx.execute(ended).one_or_none()
    return None if row is None else RelayPause(**row._mapping)


def pauses(tx: Transaction) -> list[RelayPause]:
    """Every relay at fault, the longest first."""
    rows = tx.execute(select(relay).order_by(relay.c.since))
    return [RelayPause(**row._mapping) for row in rows]
