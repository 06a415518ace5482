"""`maildropctl status`: whether mail moves."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import click

from . import exits, heartbeats
from .configured import Configured, pass_configured
from .output import local_time, messages, print_json, printable, span
from .parameters import json_option

if TYPE_CHECKING:
    from ..queue import Daemon, RelayPause


@dataclass(frozen=True)
class _Found:
    """What is known of a queue's daemons at the moment `now`, by the queue's clock."""

    now: float
    alive: tuple[Daemon, ...]
    lost: tuple[Daemon, ...]
    """Fell silent without a goodbye: killed, hanging, or cut off from the database."""
    pauses: tuple[RelayPause, ...]
    """Of relays in use; of the configured one when no daemon is alive."""
    in_doubt: int
    aside: int
    held_lanes: tuple[str, ...]

    def fault(self, relay: str) -> RelayPause | None:
        """Why the relay is paused; None when mail moves."""
        return next((pause for pause in self.pauses if pause.name == relay), None)


@click.command("status")
@json_option
@pass_configured
def status_command(configured: Configured, as_json: bool) -> int:
    """Tell whether a daemon works on the queue.

    However it was started. The exit status is 3 if none does.
    """
    found = _look(configured, time.time())
    if as_json:
        print_json(_as_json(found))
    else:
        _print(found, configured.program)
    return exits.DONE if found.alive else exits.NOT_RUNNING


def _look(configured: Configured, now: float) -> _Found:
    if not configured.has_queue():
        return _Found(now, (), (), (), 0, 0, ())
    from ..config.relays import name_of
    from ..queue import (
        alive_and_lost,
        aside_length,
        held_lanes,
        in_doubt,
        moment,
        pauses,
        pauses_in_use,
    )

    relay = name_of(configured.load().relays)
    with configured.queue() as queue, queue.read() as tx:
        alive, lost = alive_and_lost(tx, now)
        return _Found(
            now=moment(tx, now),
            alive=alive,
            lost=lost,
            pauses=pauses_in_use(pauses(tx), alive, relay),
            in_doubt=in_doubt(tx, now),
            aside=aside_length(tx),
            held_lanes=tuple(lane.label for lane in held_lanes(tx)),
        )


def _print(found: _Found, program: str) -> None:
    for daemon in found.alive:
        where = f"pid {daemon.pid} on {daemon.host}, since {local_time(daemon.started)}"
        click.echo(printable(f"running, {where}, {_relay(found, daemon)}"))
    if not found.alive:
        click.echo(_nobody_works(found, program))
        for pause in found.pauses:
            click.echo(printable(at_fault(pause)))
    for daemon in found.lost:
        click.echo(printable(_lost(found, daemon)))
    for lane in found.held_lanes:
        click.echo(
            f"lane {lane} is held, its mail waits: '{program} release --lane {lane}' "
            "lets it go on"
        )
    if found.in_doubt:
        click.echo(
            f"{messages(found.in_doubt, 'prepared')} left by transactions that never "
            f"ended: see '{program} queue --state prepared'; release or delete them"
        )
    if found.aside:
        click.echo(
            f"{messages(found.aside, 'prepared')} on the way to another queue: if no "
            "'import' is running, it was broken off; run it again for the other queue"
        )


def _nobody_works(found: _Found, program: str) -> str:
    if any(map(heartbeats.runs, found.lost)):
        return "no daemon works: mail waits in the queue"
    return f"not running: mail waits in the queue ('{program} start')"


def _lost(found: _Found, daemon: Daemon) -> str:
    silent = (
        f"pid {daemon.pid} on {daemon.host} gave no sign of life for "
        f"{span(found.now - daemon.seen)}"
    )
    if heartbeats.runs(daemon):
        return f"{silent}, but runs: {heartbeats.WHY_SILENT}"
    return f"{silent}: it was killed or hangs; its mail goes back to the queue"


def _relay(found: _Found, daemon: Daemon) -> str:
    pause = found.fault(daemon.relay)
    if pause is None:
        return f"relay {daemon.relay} ok"
    return at_fault(pause)


def at_fault(pause: RelayPause) -> str:
    """What has paused a relay, and since when."""
    return f"at fault since {local_time(pause.since)}: {pause.fault}"


def _as_json(found: _Found) -> dict[str, Any]:
    faults = [found.fault(daemon.relay) for daemon in found.alive] or found.pauses
    return {
        "running": bool(found.alive),
        "daemons": [daemon.as_json() for daemon in found.alive],
        "lost": [daemon.as_json() for daemon in found.lost],
        "relay": next((pause.as_json() for pause in faults if pause), "ok"),
        "in_doubt": found.in_doubt,
        "put_aside": found.aside,
        "held_lanes": list(found.held_lanes),
    }
