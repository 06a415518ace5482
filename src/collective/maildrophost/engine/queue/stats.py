"""The queue in figures: how much of what, how old, and how fast it moves."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import func, select

from ..clock import rfc3339
from ..message import Lane
from . import tables
from .daemons import Daemon
from .due import next_due
from .heldlanes import NOT_HELD, held_lanes
from .hours import HourRecord, last_hours
from .relays import RelayPause, pauses
from .states import IN_QUEUE, UNFINISHED, State
from .store import Transaction

schedule = tables.schedule

Depth = dict[tuple[State, Lane], int]
"""How many messages of each state and lane."""


def pauses_in_use(
    relay_pauses: Sequence[RelayPause],
    daemons: Sequence[Daemon],
    configured: str | None = None,
) -> tuple[RelayPause, ...]:
    """Those of relays in use; the fault of one that was given up is kept for days.

    While no daemon lives, that is the `configured` one. Where nobody says which that
    is, all are shown until they are forgotten: when a daemon has tried the relay again,
    or in time when none has that relay (see prune.py).
    """
    in_use = {daemon.relay for daemon in daemons}
    if not in_use and configured is not None:
        in_use = {configured}
    return tuple(pause for pause in relay_pauses if pause.name in in_use or not in_use)


@dataclass(frozen=True)
class Vitals:
    """What tells whether mail is moving, at one moment."""

    states: dict[State, int]
    held_lanes: tuple[Lane, ...]
    oldest_due_seconds: float
    daemons: tuple[Daemon, ...]
    relay_pauses: tuple[RelayPause, ...]
    """The faults of relays in use; see `pauses_in_use`."""

    @property
    def relay(self) -> RelayPause | None:
        """The pause of the relay that stops mail now; None when mail can move.

        Every living daemon is in the same boat as long as all use the same relay.
        """
        return next(iter(self.relay_pauses), None)


@dataclass(frozen=True)
class Stats(Vitals):
    """The state of the queue at one moment."""

    lanes: dict[Lane, int]
    hours: tuple[HourRecord, ...]

    def as_json(self) -> dict[str, Any]:
        """The figures as `stats --json` and REST show them."""
        return {
            "states": {state.value: count for state, count in self.states.items()},
            "lanes": {lane.label: count for lane, count in self.lanes.items()},
            "held_lanes": [lane.label for lane in self.held_lanes],
            "oldest_due_seconds": round(self.oldest_due_seconds, 3),
            "daemons": [daemon.as_json() for daemon in self.daemons],
            "relay": "ok" if self.relay is None else self.relay.as_json(),
            "hours": [
                {**hour.__dict__, "hour": rfc3339(hour.hour)} for hour in self.hours
            ],
        }


def no_stats() -> Stats:
    """The figures of a queue that nobody has made yet."""
    return Stats(
        states=dict.fromkeys(State, 0),
        held_lanes=(),
        oldest_due_seconds=0.0,
        daemons=(),
        relay_pauses=(),
        lanes=dict.fromkeys(Lane, 0),
        hours=(),
    )


def stats(
    tx: Transaction,
    now: float,
    daemons: Sequence[Daemon] = (),
    configured: str | None = None,
) -> Stats:
    """Count, at the time `now`; `daemons` are those that are alive then.

    `configured` names the relay of whoever asks, see `pauses_in_use`.
    """
    counts = depth(tx, tuple(State))
    lanes = dict.fromkeys(Lane, 0)
    for (state, lane), count in counts.items():
        if state is not State.SENT:
            lanes[lane] += count
    found = vitals(tx, now, counts, daemons, configured)
    return Stats(**found.__dict__, lanes=lanes, hours=last_hours(tx, now))


def vitals(
    tx: Transaction,
    now: float,
    counts: Depth,
    daemons: Sequence[Daemon],
    configured: str | None = None,
) -> Vitals:
    """The vitals at the time `now`; the `counts` may be a little older."""
    earliest = next_due(tx)
    states = dict.fromkeys(State, 0)
    for (state, _lane), count in counts.items():
        states[state] += count
    return Vitals(
        states=states,
        held_lanes=held_lanes(tx),
        oldest_due_seconds=max(0.0, now - earliest) if earliest is not None else 0.0,
        daemons=tuple(daemons),
        relay_pauses=pauses_in_use(pauses(tx), daemons, configured),
    )


def depth(tx: Transaction, states: Sequence[State] = IN_QUEUE) -> Depth:
    """Count the messages in these states by state and lane.

    Reads one entry of an index for each message: call it seldom.
    """
    rows = tx.execute(
        select(schedule.c.state, schedule.c.lane, func.count())
        .where(schedule.c.state.in_([state.value for state in states]))
        .group_by(schedule.c.state, schedule.c.lane)
    )
    return {(State(state), Lane(lane)): count for state, lane, count in rows}


def queue_length(tx: Transaction) -> int:
    """How many messages are not yet at their end: neither failed nor sent."""
    unfinished = select(func.count()).where(
        schedule.c.state.in_([state.value for state in UNFINISHED])
    )
    return tx.execute(unfinished).scalar_one()


def due_length(tx: Transaction, now: float) -> int:
    """How many messages are due at `now`, those of held lanes left out."""
    waiting = select(func.count()).where(
        tables.WAITING_SQL, schedule.c.due <= now, NOT_HELD
    )
    return tx.execute(waiting).scalar_one()
