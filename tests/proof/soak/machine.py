"""The programs of one machine, and what befalls them."""

from __future__ import annotations

import random
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

from engine.conftest import Site
from proof.powercut import writer
from proof.soak import pages
from proof.soak.gauges import Gauges
from waiting import wait_until

WARM_UP_RELOADS = 100
"""Memory rises until the eightieth or so, and stays there for hundreds (measured)."""
WRITERS = 2
PAUSE = "0.25"
"""So that a relay in Python can follow: some forty mails a second."""


def python(script: str, *arguments: object, **options: object) -> subprocess.Popen:
    paths = ":".join(path for path in sys.path if path)
    command = [sys.executable, script, *map(str, arguments)]
    return subprocess.Popen(command, env={"PYTHONPATH": paths}, **options)


class Machine:
    """A daemon that lasts, another daemon and a Zope that do not, and two writers."""

    def __init__(self, steady: Site, mortal: Site, folder: Path) -> None:
        self.sites = steady, mortal
        self.daemons = [site.start() for site in self.sites]
        self.told = [folder / f"told{number}" for number in range(WRITERS)]
        self.database = folder / "Data.fs"
        self._words = folder / "zope.log"
        self.strokes: Counter[str] = Counter()
        self.gauges = Gauges()
        self.writers: list[subprocess.Popen] = []
        self.zope: subprocess.Popen | None = None
        self._ends = 0.0

    def warm_up(self) -> None:
        """Bring the lasting daemon to the memory that it needs from then on."""
        for _ in range(WARM_UP_RELOADS):
            self._reload_and_wait()

    def begin(self, seconds: float) -> None:
        """Have everybody write for so long."""
        self._ends = time.time() + seconds
        site = self.sites[0]
        for number, told in enumerate(self.told):
            arguments = ("{}", site.configuration.queue, site.home / "spool")
            with told.open("wb") as output:
                self.writers.append(
                    python(
                        writer.__file__,
                        *arguments,
                        f"w{number}",
                        seconds,
                        PAUSE,
                        stdout=output,
                    )
                )
        self._start_zope()

    @property
    def ended(self) -> bool:
        """Whether all who write have ended, without an error."""
        processes = (*self.writers, self.zope)
        found = [process.poll() for process in processes]
        assert not any(found), (found, self._words.read_text()[-2000:])
        return None not in found

    def strike(self) -> None:
        """Something that operators, or their machines, do."""
        strokes = self._kill_daemon, self._kill_zope, self._reload, self._rotate
        stroke = random.choice(strokes)
        stroke()
        self.strokes[stroke.__name__.strip("_")] += 1

    def _start_zope(self) -> None:
        arguments = (self.database, self.sites[0].path, f"z{time.time_ns()}")
        with self._words.open("ab") as output:
            self.zope = python(pages.__file__, *arguments, self._ends, stderr=output)

    @property
    def decided(self) -> dict[str, int]:
        """How many batches that were left in doubt were decided in which way."""
        words = self._words.read_text()
        return {
            outcome: words.count(f"its transaction has {outcome}: ")
            for outcome in ("committed", "not committed")
        }

    def _kill_zope(self) -> None:
        self.zope.kill()
        self.zope.wait()
        self._start_zope()

    def _kill_daemon(self) -> None:
        self.daemons[1].kill()
        self.daemons[1].communicate()
        self.daemons[1] = self.sites[1].start()

    def _reload(self) -> None:
        self.sites[0].configure(MAILDROP_CONCURRENCY=random.randint(2, 8))
        self.daemons[0].send_signal(signal.SIGHUP)

    def _reload_and_wait(self) -> None:
        before = self._owner
        self._reload()
        wait_until(lambda: self._owner not in (None, before), 30, "a reload")

    @property
    def _owner(self) -> str | None:
        """The name by which the lasting daemon claims; another one after a reload."""
        pid = self.daemons[0].pid
        owners = [row.owner for row in self.sites[0].daemons if row.pid == pid]
        return owners[0] if owners else None

    def _rotate(self) -> None:
        for site in self.sites:
            log = site.home / "var" / "maildrop.log"
            if log.exists():
                log.rename(log.with_suffix(f".{random.randrange(3)}"))

    def look(self) -> None:
        """Both are alive; a sample of the one that is not killed."""
        for site, process in zip(self.sites, self.daemons, strict=True):
            assert process.poll() is None, site.log[-2000:]
        self.gauges.look(self.daemons[0].pid)

    def end(self) -> None:
        """End all that still runs."""
        processes = (*self.daemons, *self.writers, self.zope)
        for process in filter(None, processes):
            process.kill()
            process.communicate()
