"""`maildropctl stats`: the queue in figures."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import click

from .configured import Configured, pass_configured
from .output import local_hour, print_json, printable, span
from .parameters import json_option
from .status import at_fault
from .tables import Column, print_table

if TYPE_CHECKING:
    from ..queue import Stats


@click.command("stats")
@json_option
@pass_configured
def stats_command(configured: Configured, as_json: bool) -> None:
    """Count messages by state, lane and hour."""
    figures = _figures(configured)
    if as_json:
        print_json(figures.as_json())
    else:
        _print(figures)


def _figures(configured: Configured) -> Stats:
    from ..config.relays import name_of
    from ..queue import look, no_stats

    if not configured.has_queue():
        return no_stats()
    relay = name_of(configured.load().relays)
    with configured.queue() as queue, queue.read() as tx:
        return look(tx, time.time(), relay)[1]


def _print(figures: Stats) -> None:
    count = Column("MESSAGES", right=True)
    states = [[state.value, str(number)] for state, number in figures.states.items()]
    print_table([Column("STATE"), count], states)
    click.echo()
    lanes = [
        [lane.label, str(number), "held" if lane in figures.held_lanes else ""]
        for lane, number in figures.lanes.items()
    ]
    print_table([Column("LANE"), count, Column("")], lanes)
    click.echo()
    click.echo(f"Oldest due:  {_oldest(figures)}")
    click.echo(f"Relay:       {printable(_relay(figures))}")
    click.echo(f"Daemons:     {printable(_daemons(figures))}")
    if figures.hours:
        click.echo()
        _print_hours(figures)


def _oldest(figures: Stats) -> str:
    waited = figures.oldest_due_seconds
    return f"waits for {span(waited)}" if waited > 0 else "nothing is due"


def _relay(figures: Stats) -> str:
    return "ok" if figures.relay is None else at_fault(figures.relay)


def _daemons(figures: Stats) -> str:
    alive = [f"pid {daemon.pid} on {daemon.host}" for daemon in figures.daemons]
    return ", ".join(alive) or "none is running"


def _print_hours(figures: Stats) -> None:
    columns = [
        Column("HOUR"),
        Column("SENT", right=True),
        Column("DEFERRED", right=True),
        Column("FAILED", right=True),
    ]
    rows = [
        [local_hour(each.hour), str(each.sent), str(each.deferred), str(each.failed)]
        for each in figures.hours
    ]
    print_table(columns, rows)
