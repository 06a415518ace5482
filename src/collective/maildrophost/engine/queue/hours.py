"""How many verdicts each hour has seen, which the chart is drawn from."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

from sqlalchemy import bindparam, func, insert, select, update

from ..verdict import Outcome
from . import tables
from .statement import Statement
from .store import Transaction

SECONDS_PER_HOUR = 3600

COUNTED = [outcome.value for outcome in Outcome]
_ADD_TO_HOUR = Statement(
    update(tables.hour)
    .where(
        tables.hour.c.hour == bindparam("this_hour"),
        tables.hour.c.owner == bindparam("counting"),
    )
    .values({name: tables.hour.c[name] + bindparam(f"more_{name}") for name in COUNTED})
)


_SENT = select(func.coalesce(func.sum(tables.hour.c.sent), 0))


def recently_sent(tx: Transaction, owners: Sequence[str], now: float) -> int:
    """How many recipients these daemons have reached in this hour and the last."""
    hour = int(now) // SECONDS_PER_HOUR * SECONDS_PER_HOUR
    counted = _SENT.where(
        tables.hour.c.hour >= hour - SECONDS_PER_HOUR, tables.hour.c.owner.in_(owners)
    )
    return int(tx.execute(counted).scalar_one())


def count(tx: Transaction, verdicts: Iterable[tuple[str, Outcome]], now: float) -> None:
    """Add verdicts, each with the owner of its claim, to the counters of this hour."""
    hour = int(now) // SECONDS_PER_HOUR * SECONDS_PER_HOUR
    counted: dict[str, Counter[str]] = {}
    for owner, outcome in verdicts:
        # A row for each daemon: they would wait for each other's commit with one.
        counted.setdefault(owner, Counter())[outcome.value] += 1
    for owner, counter in counted.items():
        more = {f"more_{name}": counter[name] for name in COUNTED}
        if _ADD_TO_HOUR.run(tx, this_hour=hour, counting=owner, **more) == 0:
            fresh = {name: counter[name] for name in COUNTED}
            tx.execute(insert(tables.hour), {"hour": hour, "owner": owner, **fresh})
