"""The faults of relays: what is wrong, since when, and until when nothing is tried."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import delete, false, select, text, update

from ..clock import rfc3339
from . import tables
from .statement import Statement
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

    def as_json(self) -> dict[str, str]:
        """The fault as `--json` and REST show it."""
        return {"fault": self.fault, "since": rfc3339(self.since)}


_PAUSE = Statement(
    # Two daemons may find the same fault at the same moment: the longer pause stands.
    text("""
    INSERT INTO maildrop_relay (name, fault, since, paused_until, failures, told)
    VALUES (:name, :fault, :since, :paused_until, :failures, :told)
    ON CONFLICT (name) DO UPDATE SET
        fault = excluded.fault,
        paused_until = CASE
            WHEN maildrop_relay.failures > excluded.failures
            THEN maildrop_relay.paused_until ELSE excluded.paused_until END,
        failures = CASE
            WHEN maildrop_relay.failures > excluded.failures
            THEN maildrop_relay.failures ELSE excluded.failures END
    """)
)


def pause(tx: Transaction, paused: RelayPause) -> None:
    """Record a relay's fault, or that it goes on; its first `since` is kept."""
    _PAUSE.run(tx, **paused.__dict__)


_PROBE = Statement(
    text("""
    UPDATE maildrop_relay SET paused_until = :until
    WHERE name = :name AND (paused_until <= :now OR paused_until > :longest)
    """)
)


def may_probe(
    tx: Transaction, name: str, now: float, patience: float, longest_pause: float
) -> bool:
    """Ask to try a relay; once that is allowed, others wait for `patience` seconds.

    If it is not, another daemon was faster: see `pause_of`. A pause that ends later
    than `longest_pause` seconds from `now` was written by a clock that was set back
    since, and does not count.
    """
    until, longest = now + patience, now + longest_pause
    return _PROBE.run(tx, name=name, now=now, until=until, longest=longest) > 0


_PROBE_OVER = Statement(
    text("""
    UPDATE maildrop_relay SET paused_until = :now
    WHERE name = :name AND paused_until = :until
    """)
)


def end_probe(tx: Transaction, name: str, until: float, now: float) -> None:
    """End a probe that found nothing out; others were to wait for it `until` then."""
    _PROBE_OVER.run(tx, name=name, until=until, now=now)


def mark_told(tx: Transaction, name: str) -> bool:
    """Note that the postmaster is told of a fault; False: that was noted already."""
    changed = tx.execute(
        update(relay)
        .where(relay.c.name == name, relay.c.told == false())
        .values(told=True)
    )
    return changed.rowcount == 1


def clear(
    tx: Transaction, name: str, paused_until: float | None = None
) -> RelayPause | None:
    """End the fault of a relay that works again; returns it, None: it had none.

    With `paused_until`, only a fault that is paused until then: another daemon may have
    found a new one since.
    """
    ended = delete(relay).where(relay.c.name == name).returning(*relay.c)
    if paused_until is not None:
        ended = ended.where(relay.c.paused_until == paused_until)
    row = tx.execute(ended).one_or_none()
    return None if row is None else RelayPause(**row._mapping)


def pause_of(tx: Transaction, name: str) -> RelayPause | None:
    """The fault of a relay; None: it has none."""
    row = tx.execute(select(relay).where(relay.c.name == name)).one_or_none()
    return None if row is None else RelayPause(**row._mapping)


def pauses(tx: Transaction) -> list[RelayPause]:
    """Every relay at fault, the one that has been so for longest first."""
    rows = tx.execute(select(relay).order_by(relay.c.since))
    return [RelayPause(**row._mapping) for row in rows]
