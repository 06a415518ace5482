"""What the daemons of a queue have in common: their pace, and the probe of a relay."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from ..queue import (
    Claim,
    RelayPause,
    Transaction,
    may_probe,
    moment,
    pause_of,
    take_turn,
)
from .relayhealth import LONGEST_PAUSE_SECONDS

PROBE_SECONDS = 60.0
"""How long the others wait for the daemon that probes a relay, in case it dies."""


@dataclass(frozen=True)
class Terms:
    """What this daemon has to ask the others for, before it claims."""

    relay: str
    interval: float = 0.0
    """Seconds between two mails; 0: no limit."""
    probing: bool = False
    """Whether a claim would probe the relay, which was at fault."""

    def probe_ends(self, now: float) -> float | None:
        """Until when others wait for a probe that starts at `now`; None: it is none."""
        return now + PROBE_SECONDS if self.probing else None


@dataclass(frozen=True)
class Objection:
    """Why nothing may be claimed now.

    `wait` is how many seconds from now the next mail may start. `pause`: another daemon
    has found this fault of the relay. `good`: another one has found that it works.
    """

    wait: float = 0.0
    pause: RelayPause | None = None
    good: bool = False


def on_terms(
    tx: Transaction,
    terms: Terms,
    now: float,
    claim: Callable[[Callable[[], object]], list[Claim]],
) -> list[Claim] | Objection:
    """What `claim` has claimed, or why nothing may be.

    The right to probe, or a turn, is only for a daemon that has something to send, as
    all others wait for what becomes of it. So `claim` is given what it has to call if
    nothing was left to claim.
    """
    if not terms.probing and terms.interval <= 0:
        return claim(lambda: None)
    # No `with`: an error ends all of `tx`, and rolling this back first would hide it.
    asked = tx.begin_nested()
    against = _no_probe(tx, terms, now) or _too_early(tx, terms, now)
    if against is not None:
        asked.rollback()
        return against
    claims = claim(asked.rollback)
    if asked.is_active:
        asked.commit()
    return claims


def _no_probe(tx: Transaction, terms: Terms, now: float) -> Objection | None:
    if not terms.probing:
        return None
    if may_probe(tx, terms.relay, now, PROBE_SECONDS, LONGEST_PAUSE_SECONDS):
        return None
    pause = pause_of(tx, terms.relay)
    return Objection(pause=pause, good=pause is None)


def _too_early(tx: Transaction, terms: Terms, now: float) -> Objection | None:
    if terms.interval <= 0:
        return None
    wait = take_turn(tx, terms.relay, terms.interval, moment(tx, now))
    return Objection(wait=wait) if wait > 0 else None
