"""The time that all daemons of a queue agree on."""

from __future__ import annotations

from sqlalchemy import text

from .prepared import Prepared
from .store import Transaction

_SERVERS = Prepared(text("SELECT extract(epoch FROM clock_timestamp())::float8"))


def moment(tx: Transaction, now: float) -> float:
    """Seconds since the epoch: the server's clock where there is one, else `now`.

    For leases and pace, which machines with clocks of their own compare.
    """
    if tx.dialect.name != "postgresql":
        return now
    ((found,),) = _SERVERS.rows(tx)
    return float(found)
