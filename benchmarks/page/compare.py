"""Every side under every load, in turn; then what was measured, as text."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from ..sink import fastest_sink
from . import busy, newsletter, onemail, report
from .forked import beside
from .kinds import HTML, KINDS, TEXT, Kind
from .newsletter import Issue
from .onemail import Load, Paid
from .sides import FLOORS, IMMEDIATE, NO_MAIL, OURS, QUEUED, SIDES, SPILLS, Side

ROUNDS = 3
LOADS = tuple(
    Load(name, kind, processes, threads, mails)
    for name, processes, threads, mails in (
        ("1 thread", 1, 1, 400),
        ("8 threads", 1, 8, 50),
        ("4 processes", 4, 1, 100),
    )
    for kind in KINDS
)
CHANGE = Load("changes ZODB", TEXT, processes=1, threads=1, mails=400, changes=True)
NEWSLETTER_MAILS, SHORT_MAILS = 10_000, 1_000
NEWSLETTERS = {TEXT: (OURS, QUEUED, IMMEDIATE, SPILLS), HTML: (OURS, QUEUED, SPILLS)}
WAL_FULL_MAILS = 600
"""Fills the queue's write-ahead log up to the size that it keeps."""


@dataclass(frozen=True)
class Place:
    """Where the sides write, and where one of them speaks SMTP."""

    folder: Path
    port: int


def main() -> None:
    """Measure, print the tables; BenchmarkFailed when a queue was locked."""
    with _place() as place:
        for load in LOADS:
            sides = SIDES if load.together else (*SIDES, *FLOORS)
            paid = one_mail(place, load, sides, ROUNDS)
            print("\n" + report.one_mail(load, paid), flush=True)
            print(report.one_mail_goals(load, paid), flush=True)
        paid = one_mail(place, CHANGE, (*SIDES, NO_MAIL), ROUNDS)
        print("\n" + report.one_mail(CHANGE, paid), flush=True)
        for kind, sides in NEWSLETTERS.items():
            issues = newsletters(
                place, kind, dict.fromkeys(sides, NEWSLETTER_MAILS), ROUNDS
            )
            short = newsletters(place, kind, {OURS: SHORT_MAILS}, ROUNDS)
            print("\n" + report.newsletter(kind, issues, short), flush=True)
        # Last: processes forked after it would begin with the memory that it needs.
        paid_beside = beside_a_daemon(place, ROUNDS)
        print("\n" + report.one_mail(busy.LOAD, {OURS.name: paid_beside}), flush=True)


@contextmanager
def _place() -> Iterator[Place]:
    with tempfile.TemporaryDirectory(prefix="maildrop-bench-") as name:
        folder = Path(name)
        # A process beside us has the queue open all the time, as our daemon does.
        with fastest_sink(folder) as sink, beside(_open_queue, folder, sink.port):
            yield Place(folder, sink.port)


def _open_queue(folder: Path, port: int) -> object:
    send = OURS.make(folder, port, TEXT)
    onemail.pay(send, TEXT, WAL_FULL_MAILS)
    return send


def one_mail(
    place: Place, load: Load, sides: Sequence[Side], rounds: int
) -> dict[str, Paid]:
    """Everybody in turn, `rounds` times over, so that a drift hits all."""
    parts: dict[str, list[Paid]] = {side.name: [] for side in sides}
    for _ in range(rounds):
        for side in sides:
            parts[side.name].append(
                onemail.measure(side, place.folder, place.port, load)
            )
    return {name: onemail.together(each) for name, each in parts.items()}


def beside_a_daemon(place: Place, rounds: int) -> Paid:
    """One mail beside a busy daemon, each time with a queue of its own."""
    folders = [place.folder / f"busy{number}" for number in range(rounds)]
    return onemail.together([busy.measure(each, place.port) for each in folders])


def newsletters(
    place: Place, kind: Kind, mails: Mapping[Side, int], rounds: int
) -> dict[str, list[Issue]]:
    """Everybody in turn, `rounds` times over."""
    issues: dict[str, list[Issue]] = {side.name: [] for side in mails}
    for _ in range(rounds):
        for side, count in mails.items():
            issues[side.name].append(
                newsletter.measure(side, place.folder, place.port, kind, count)
            )
    return issues
