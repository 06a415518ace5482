"""Whether mail is moving, and if not, why: one judgement for everybody who shows it."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any

from sqlalchemy import func, select

from ..clock import rfc3339
from . import tables
from .batches import IN_DOUBT_SECONDS, of_a_transaction, running_batches
from .daemons import Daemon, alive_and_lost
from .states import State
from .stats import Stats, Vitals, stats
from .store import Transaction


class Reason(str, Enum):
    """Why mail is moving, or is not."""

    FINE = "fine"
    """A daemon works, its relay takes mail."""
    RELAY = "relay"
    """A daemon works, its relay is at fault."""
    NO_DAEMON = "no-daemon"
    """No daemon works on this queue."""
    UNREADABLE = "unreadable"
    """Configuration or queue cannot be read: nothing is known."""


@dataclass(frozen=True)
class Health:
    """Whether mail is moving at one moment. Times are seconds since the epoch.

    `waiting` messages are queued, deferred or being sent; the oldest of those that are
    due has waited `oldest_seconds`. `since`: when mail stopped, None: not known, or it
    moves. `relay` names the relay, `fault` has its or the queue's words. `held_lanes`
    do not move whatever else does; `in_doubt` messages wait for a person.
    """

    moving: bool
    reason: Reason
    waiting: int = 0
    oldest_seconds: float = 0.0
    since: float | None = None
    relay: str = ""
    fault: str = ""
    held_lanes: tuple[str, ...] = ()
    in_doubt: int = 0

    @property
    def words_of_fault(self) -> str:
        """The fault of a relay, for a sentence that has named it already."""
        return self.fault.removeprefix(f"relay {self.relay}: ")

    def as_json(self) -> dict[str, Any]:
        """The judgement as `--json` and REST show it."""
        return {
            **dataclasses.asdict(self),
            "reason": self.reason.value,
            "oldest_seconds": round(self.oldest_seconds, 3),
            "since": None if self.since is None else rfc3339(self.since),
            "held_lanes": list(self.held_lanes),
        }


def unreadable(fault: str) -> Health:
    """The health of a queue that nobody can look into, with the reason."""
    return Health(moving=False, reason=Reason.UNREADABLE, fault=fault)


def health_of(vitals: Vitals, lost: Sequence[Daemon], in_doubt: int) -> Health:
    """The health that these figures tell of.

    `lost` are the daemons that ended without a goodbye: the last sign of life of the
    last one is when mail stopped.
    """
    states = vitals.states
    common: dict[str, Any] = {
        "waiting": sum(states.get(state, 0) for state in _UNDER_WAY),
        "oldest_seconds": vitals.oldest_due_seconds,
        "held_lanes": tuple(lane.label for lane in vitals.held_lanes),
        "in_doubt": in_doubt,
    }
    if not vitals.daemons:
        seen = max((daemon.seen for daemon in lost), default=None)
        return Health(moving=False, reason=Reason.NO_DAEMON, since=seen, **common)
    pause = vitals.relay
    # With several relays in use, mail moves as long as one of them takes it.
    at_fault = {each.name for each in vitals.relay_pauses}
    working = [each.relay for each in vitals.daemons if each.relay not in at_fault]
    if pause is not None and not working:
        return Health(
            moving=False,
            reason=Reason.RELAY,
            since=pause.since,
            relay=pause.name,
            fault=pause.fault,
            **common,
        )
    return Health(moving=True, reason=Reason.FINE, relay=working[0], **common)


_UNDER_WAY = (State.QUEUED, State.DEFERRED, State.SENDING)


def look(
    tx: Transaction, now: float, configured: str | None = None
) -> tuple[Health, Stats]:
    """The health at the time `now`, with the figures it was judged by; see `stats`."""
    alive, lost = alive_and_lost(tx, now)
    figures = stats(tx, now, alive, configured)
    return health_of(figures, lost, in_doubt(tx, now)), figures


def in_doubt(tx: Transaction, now: float) -> int:
    """How many messages belong to transactions that were cut off."""
    schedule, message = tables.schedule, tables.message
    prepared = (
        select(func.count())
        .select_from(schedule.join(message))
        .where(
            schedule.c.state == State.PREPARED.value,
            of_a_transaction(),
            message.c.created < now - IN_DOUBT_SECONDS,
            schedule.c.batch.not_in(running_batches(tx)),
        )
    )
    return tx.execute(prepared).scalar_one()


def sentence(
    health: Health, moment: Callable[[float], str], span: Callable[[float], str]
) -> str:
    """The health in English, for where nothing is translated.

    `moment` and `span` write a time, and a length of time, as the caller shows them.
    """
    if health.reason is Reason.UNREADABLE:
        return f"Nobody can tell whether mail is moving: {health.fault}"
    if health.moving:
        return f"Mail is moving: {_waiting(health, span)}, relay {health.relay} fine"
    stands = "Mail is not moving"
    if health.since is not None:
        stands = f"Mail has not been moving since {moment(health.since)}"
    if health.reason is Reason.NO_DAEMON:
        why = "no daemon works on the queue"
    else:
        why = f"relay {health.relay}: {health.words_of_fault}"
    return f"{stands}: {why}; {_waiting(health, span)}"


def _waiting(health: Health, span: Callable[[float], str]) -> str:
    if not health.waiting:
        return "nothing waiting"
    if not health.oldest_seconds:
        return f"{health.waiting} waiting, none due yet"
    return f"{health.waiting} waiting, oldest {span(health.oldest_seconds)}"
