"""One run of the real programs, recorded, that can be cut off at any moment."""

from __future__ import annotations

import json
import os
import random
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from commands import environment
from proof.powercut.calls import PATHS_ALONE, Call, calls, traced
from proof.powercut.databases import Database
from proof.powercut.disk import EVERYTHING, NOTHING, Disk, Names, files_below
from proof.powercut.replay import Replay, Unmodelled
from proof.powercut.testimony import TOLD, Testimony
from servers.scripted import Scripted
from waiting import PATIENCE_SECONDS, wait_until

SCENARIO = Path(__file__).with_name("scenario.py")
SOURCES = Path(__file__).parents[2]
CONCURRENCY = 4
UNREAD = 2 * CONCURRENCY
"""So many offers may be lost on their way to the relay: a connection whose process is
killed ends by RST if a reply was not read yet. The daemon is killed twice."""


@dataclass
class Moment:
    """The disk and the promises after one event of the trace."""

    number: int
    said: bool
    disk: Disk
    testimony: Testimony


class Recording:
    """Runs the scenario for so many seconds; `changes`: see the module of that name."""

    def __init__(
        self, database: Database, relay: Scripted, seconds: float, **changes: object
    ) -> None:
        self.database = database
        self.site = site = database.site
        self.home = site.home
        site.configure(
            SMTP_PORT=relay.port,
            MAILDROP_BOUNCE=0,
            MAILDROP_INTERVAL=0.3,
            MAILDROP_CONCURRENCY=CONCURRENCY,
        )
        # The first start, which makes all of it, belongs to what may be cut off.
        self._start = {**database.start, site.path.name: site.path.read_bytes()}
        self.calls: list[Call] = []
        while not self.calls or any(map(_uncertain, self.calls)):
            self._begin_anew()
            before = offers_to(relay)
            self.calls = self._record(seconds, changes)
        self._refuse_what_is_not_explained()
        self._refuse_what_was_not_heard(relay, before)

    def _begin_anew(self) -> None:
        shutil.rmtree(self.home)
        self.home.mkdir()
        start = Disk(self.home, Names.STRICT, self._start)
        start.rebuild(self.home, NOTHING, random.Random())
        self.database.prepare(self.home)

    def _record(self, seconds: float, changes: dict[str, object]) -> list[Call]:
        trace = self.home.with_suffix(".trace")
        named = {name.replace("__", "."): value for name, value in changes.items()}
        database = self.database
        arguments = (json.dumps(named), self.site.path, database.url)
        more = (self.home / "spool", seconds, json.dumps(database.server))
        command = (sys.executable, SCENARIO, *arguments, *more)
        paths = [str(SOURCES), *(path for path in sys.path if path)]
        try:
            subprocess.run(
                [*traced(trace), *map(str, command)],
                env={**environment(), "PYTHONPATH": os.pathsep.join(paths)},
                cwd=database.directory,
                check=True,
                timeout=seconds * 10 + 5 * PATIENCE_SECONDS,
            )
            with trace.open() as lines:
                found = calls(lines, database.directory)
                return [call for call in found if self._matters(call)]
        finally:
            trace.unlink(missing_ok=True)

    def _matters(self, call: Call) -> bool:
        digits = "".join(f"\\x{octet:02x}" for octet in os.fsencode(self.home))
        told = "".join(f"\\x{octet:02x}" for octet in TOLD)
        arguments = call.arguments
        return (
            digits in arguments
            or told in arguments
            or bool(call.connection)
            # Where a relative path begins is not said.
            or (call.name in PATHS_ALONE and self._names_ours(call))
        )

    def _names_ours(self, call: Call) -> bool:
        return any(path.startswith(f"{self.home}/") for path in call.paths)

    def _refuse_what_is_not_explained(self) -> None:
        """With nothing lost the calls must lead to the files that there are."""
        self.said = self.unsaid = 0
        for moment in self.moments(Names.JOURNAL):
            self.said += moment.said
            self.unsaid += not moment.said
            last = moment
        self.testimony = last.testimony
        rebuilt = self.home.with_name("rebuilt")
        rebuilt.mkdir()
        last.disk.rebuild(rebuilt, EVERYTHING, random.Random())
        found, explained = files_below(self.home), files_below(rebuilt)
        shutil.rmtree(rebuilt)
        differing = [
            name
            for name in found.keys() | explained.keys()
            if found.get(name) != explained.get(name)
            and not name.endswith(self.database.left_out)
        ]
        if differing:
            raise Unmodelled(f"{differing} cannot be explained by the calls")

    def _refuse_what_was_not_heard(self, relay: Scripted, before: int) -> None:
        """What the relay got must have been seen in the calls, each MAIL FROM of it."""
        heard = sum(offers.made for offers in self.testimony.offers.values())
        at_least = before + heard - UNREAD
        what = f"{heard} offers"
        wait_until(lambda: offers_to(relay) >= at_least, what=what)
        got = offers_to(relay) - before
        assert got <= heard, f"{got} offers, but only {heard} were heard"

    def moments(self, kind: Names) -> Iterator[Moment]:
        """Every moment of it, in their order; each is over when the next one comes."""
        disk = Disk(self.home, kind, self._start)
        replay = Replay(disk, self.home, self.database.left_out)
        testimony = Testimony()
        events = [(call.began, False, call) for call in self.calls]
        events += [(call.ended, True, call) for call in self.calls]
        events.sort(key=lambda event: event[:2])
        for number, (_, ended, call) in enumerate(events):
            if ended:
                replay.do(call)
            said = not ended and testimony.hear(call)
            if said or (ended and not call.only_looks):
                yield Moment(number, said, disk, testimony)


def offers_to(relay: Scripted) -> int:
    return sum(command.startswith("MAIL") for command in relay.commands)


def _uncertain(call: Call) -> bool:
    """Whether the kill of the daemon fell into it, so that nobody knows what it did."""
    harmless = call.connection or call.name in ("fsync", "fdatasync")
    return call.result is None and not harmless
