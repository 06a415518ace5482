"""The time that all daemons of a queue agree on, and since when they can work."""

from __future__ import annotations

from .database import database_of
from .store import Transaction


def moment(tx: Transaction, now: float) -> float:
    """Seconds since the epoch: the server's clock where there is one, else `now`.

    For leases and pace, which machines with clocks of their own compare.
    """
    return database_of(tx).moment(tx, now)


def up_since(tx: Transaction) -> float:
    """The `moment` since which the queue can be used; -inf where it needs no server.

    Before that nobody could renew a lease.
    """
    return database_of(tx).up_since(tx)
