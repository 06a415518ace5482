"""How many verdicts each hour has seen, which the chart is drawn from."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from sqlalchemy import bindparam, func, insert, select, update

from ..verdict import Outcome
from . import tables
from .statement import Statement
from .store import Transaction

SECONDS_PER_HOUR = 3600
HOURS_SHOWN = 24

hours = tables.hour
COUNTED = [outcome.value for outcome in Outcome]


@dataclass(frozen=True)
class HourRecord:
    """The verdicts of one hour; `hour` is its start, in seconds since the epoch."""

    hour: int
    sent: int
    deferred: int
    failed: int


def last_hours(tx: Transaction, now: float) -> tuple[HourRecord, ...]:
    """Those of the last HOURS_SHOWN hours, with this one, that saw a verdict."""
    first = _hour_of(now) - (HOURS_SHOWN - 1) * SECONDS_PER_HOUR
    counted = [func.sum(hours.c[name]).label(name) for name in COUNTED]
    rows = tx.execute(
        select(hours.c.hour, *counted)
        .where(hours.c.hour >= first)
        .group_by(hours.c.hour)
        .order_by(hours.c.hour)
    )
    return tuple(HourRecord(**row._mapping) for row in rows)


def recently_sent(tx: Transaction, owners: Sequence[str], now: float) -> int:
    """How many recipients these daemons have reached in this hour and the last."""
    sent = select(func.coalesce(func.sum(hours.c.sent), 0)).where(
        hours.c.hour >= _hour_of(now) - SECONDS_PER_HOUR, hours.c.owner.in_(owners)
    )
    return int(tx.execute(sent).scalar_one())


_ADD_TO_HOUR = Statement(
    update(hours)
    .where(hours.c.hour == bindparam("this_hour"), hours.c.owner == bindparam("by"))
    .values({name: hours.c[name] + bindparam(f"more_{name}") for name in COUNTED})
)


def count(tx: Transaction, verdicts: Iterable[tuple[str, Outcome]], now: float) -> None:
    """Add verdicts, each with the owner of its claim, to the counters of this hour."""
    hour = _hour_of(now)
    counted: dict[str, Counter[str]] = {}
    for owner, outcome in verdicts:
        # A row for each daemon: with one for all they would wait for each other.
        counted.setdefault(owner, Counter())[outcome.value] += 1
    for owner, counter in counted.items():
        more = {f"more_{name}": counter[name] for name in COUNTED}
        if _ADD_TO_HOUR.run(tx, this_hour=hour, by=owner, **more) == 0:
            fresh = {name: counter[name] for name in COUNTED}
            tx.execute(insert(hours), {"hour": hour, "owner": owner, **fresh})


def _hour_of(now: float) -> int:
    return int(now) // SECONDS_PER_HOUR * SECONDS_PER_HOUR
