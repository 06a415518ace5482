"""The pace that all daemons of a relay keep together."""

from __future__ import annotations

from sqlalchemy import text

from .statement import Statement
from .store import Transaction

_TAKE_TURN = Statement(
    # A last start in the future was written by a clock that was set back since.
    text("""
    INSERT INTO maildrop_pace (relay, last_start) VALUES (:relay, :now)
    ON CONFLICT (relay) DO UPDATE SET last_start = excluded.last_start
    WHERE excluded.last_start >= maildrop_pace.last_start + :gap
       OR excluded.last_start < maildrop_pace.last_start - :gap
    """)
)
_LAST_START = Statement(
    text("SELECT last_start FROM maildrop_pace WHERE relay = :relay")
)


def take_turn(tx: Transaction, relay: str, interval: float, now: float) -> float:
    """Seconds until a mail may start; 0: it may now, and the turn is taken.

    `interval` seconds lie between two mails to the relay, whoever sends them. `now` is
    the `moment`. The turn is held until `tx` ends: others wait for that.
    """
    if _TAKE_TURN.run(tx, relay=relay, now=now, gap=interval):
        return 0.0
    ((last_start,),) = _LAST_START.rows(tx, relay=relay)
    return max(0.0, float(last_start) + interval - now)
