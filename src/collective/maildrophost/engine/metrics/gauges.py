"""The gauges of the queue: their names, meanings and values; needs no library."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib.metadata import version

from ..message import Lane
from ..queue import State
from .figures import Figures


@dataclass(frozen=True)
class Gauge:
    """One metric, with a value for each combination of its labels' values."""

    name: str
    meaning: str
    labels: tuple[str, ...]
    values: Mapping[tuple[str, ...], float]


def gauges(figures: Figures | None, in_flight: int) -> Iterator[Gauge]:
    """Everything at one moment; `figures` is None when the queue cannot be read."""
    running: dict[tuple[str, ...], float] = {(version("collective.maildrophost"),): 1}
    yield Gauge("build_info", "The version that runs.", ("version",), running)
    yield _one("in_flight", "Messages in flight now.", in_flight)
    yield _one("queue_readable", "1: the queue can be read.", figures is not None)
    if figures is not None:
        yield from _queue(figures)
        yield from _relays(figures)
        yield from _files(figures)


def _queue(figures: Figures) -> Iterator[Gauge]:
    yield Gauge(
        "messages",
        "Messages in the queue; counted every ten seconds or less often.",
        ("state", "lane"),
        {
            (state.value, lane.label): figures.depth.get((state, lane), 0)
            for state in State
            if state is not State.SENT
            for lane in Lane
        },
    )
    yield _one(
        "oldest_due_seconds",
        "How long the oldest message that is due has waited, held lanes left out.",
        figures.vitals.oldest_due_seconds,
    )
    yield _one(
        "in_doubt",
        "Prepared messages of transactions that never ended: a person decides.",
        figures.health.in_doubt,
    )
    yield _one("moving", "1: mail is moving.", figures.health.moving)
    yield _one(
        "daemons",
        "Daemons that work on this queue, on all machines.",
        len(figures.vitals.daemons),
    )
    yield Gauge(
        "lane_held",
        "1: the lane is held.",
        ("lane",),
        {(lane.label,): lane in figures.vitals.held_lanes for lane in Lane},
    )


def _relays(figures: Figures) -> Iterator[Gauge]:
    faults = {pause.name: pause for pause in figures.vitals.relay_pauses}
    names = {daemon.relay for daemon in figures.vitals.daemons} | set(faults)
    yield Gauge(
        "relay_up",
        "0: the relay is at fault, delivery is paused.",
        ("relay",),
        {(name,): name not in faults for name in sorted(names)},
    )
    yield Gauge(
        "relay_fault_since_timestamp_seconds",
        "Since when a relay has been at fault; present only while it is.",
        ("relay",),
        {(name,): pause.since for name, pause in sorted(faults.items())},
    )


def _files(figures: Figures) -> Iterator[Gauge]:
    room = figures.room
    if room is not None:
        size, free = room.pages * room.page_bytes, room.free_pages * room.page_bytes
        yield _one("queue_bytes", "The queue's file.", size)
        yield _one("queue_free_bytes", "The unused space in it.", free)
        yield _one("wal_bytes", "Its write-ahead log.", room.wal_bytes)


def _one(name: str, meaning: str, value: float) -> Gauge:
    return Gauge(name, meaning, (), {(): value})
