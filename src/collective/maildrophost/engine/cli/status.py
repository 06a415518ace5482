"""`maildropctl status`: whether mail moves."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import click

from ..clock import rfc3339
from . import exits, heartbeats
from .configured import Configured, pass_configured
from .output import moment, print_json, printable, span
from .parameters import json_option

if TYPE_CHECKING:
    from ..queue import Daemon, RelayPause

IN_DOUBT_SECONDS = 300
"""A message prepared for longer belongs to a transaction that was cut off."""
MOST_IN_DOUBT = 1000
"""Counting more would make the answer slow."""


@dataclass(frozen=True)
class _Health:
    """What is known of the daemons of a queue at one moment."""

    alive: tuple[Daemon, ...]
    lost: tuple[Daemon, ...]
    """Stopped beating without a goodbye: killed, hanging, or cut off the database."""
    pauses: tuple[RelayPause, ...]
    in_doubt: int

    def fault(self, relay: str) -> RelayPause | None:
        """Why the relay is paused; None when mail moves."""
        return next((pause for pause in self.pauses if pause.name == relay), None)


@click.command("status")
@json_option
@pass_configured
def status_command(configured: Configured, as_json: bool) -> int:
    """Tell whether a daemon works on the queue.

    However it was started. Exit status 3 when none does.
    """
    now = time.time()
    health = _health(configured, now)
    if as_json:
        print_json(_as_json(health))
    else:
        _print(health, now, configured.program)
    return exits.DONE if health.alive else exits.NOT_RUNNING


def _health(configured: Configured, now: float) -> _Health:
    if not heartbeats.queue_exists(configured.load()):
        return _Health((), (), (), 0)
    from ..queue import State, all_daemons, list_messages, pauses

    with configured.queue() as queue, queue.read() as tx:
        daemons = all_daemons(tx)
        prepared = list_messages(tx, State.PREPARED, limit=MOST_IN_DOUBT)
        alive = tuple(each for each in daemons if heartbeats.beating(each, now))
        return _Health(
            alive=alive,
            lost=tuple(each for each in daemons if each not in alive),
            pauses=tuple(pauses(tx)),
            in_doubt=sum(now - each.created > IN_DOUBT_SECONDS for each in prepared),
        )


def _print(health: _Health, now: float, program: str) -> None:
    for daemon in health.alive:
        where = f"pid {daemon.pid} on {daemon.host}, since {moment(daemon.started)}"
        click.echo(printable(f"running, {where}, {_relay(health, daemon)}"))
    if not health.alive:
        click.echo(f"not running: mail waits in the queue ('{program} start')")
    for daemon in health.lost:
        click.echo(
            printable(
                f"pid {daemon.pid} on {daemon.host} gave no sign of life for "
                f"{span(now - daemon.seen)}: it was killed or hangs; "
                "its mail goes back to the queue"
            )
        )
    if health.in_doubt:
        click.echo(
            f"{health.in_doubt} prepared messages belong to transactions that never "
            f"ended: see '{program} queue --state prepared'; release or delete them"
        )


def _relay(health: _Health, daemon: Daemon) -> str:
    pause = health.fault(daemon.relay)
    if pause is None:
        return f"relay {daemon.relay} ok"
    return f"at fault since {moment(pause.since)}: {pause.fault}"


def _as_json(health: _Health) -> dict[str, Any]:
    in_use = [health.fault(daemon.relay) for daemon in health.alive]
    return {
        "running": bool(health.alive),
        "daemons": _daemons(health.alive),
        "lost": _daemons(health.lost),
        "relay": next((_fault(pause) for pause in in_use if pause), "ok"),
        "in_doubt": health.in_doubt,
    }


def _daemons(daemons: Sequence[Daemon]) -> list[dict[str, Any]]:
    return [
        {
            "host": daemon.host,
            "pid": daemon.pid,
            "started": rfc3339(daemon.started),
            "seen": rfc3339(daemon.seen),
            "relay": daemon.relay,
        }
        for daemon in daemons
    ]


def _fault(pause: RelayPause) -> dict[str, str]:
    return {"fault": pause.fault, "since": rfc3339(pause.since)}
