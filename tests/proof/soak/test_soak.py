"""Everything at once for minutes: the ledger is right, and nothing grows.

`make soak`. Two daemons have one queue: one of them is killed again and again, the
other lives through all of it, and is what the gauges look at.
"""

from __future__ import annotations

import random
import signal
import subprocess
import sys
import time
from collections import Counter
from contextlib import ExitStack

import pytest
from engine.conftest import Site
from proof.powercut import writer
from proof.powercut.ledger import ALLOWED, DUE, mails
from proof.soak.gauges import MEGABYTE, Gauges
from proof.soak.moody import Moody
from waiting import wait_until

from collective.maildrophost.engine.queue import State, stats

WRITERS = 2
SETTLE_SECONDS = 120.0
PAUSE = "0.25"
"""So that a relay in Python can follow: some forty mails a second."""
WAITING = (State.QUEUED, State.DEFERRED, State.SENDING)
MORE_MEMORY, MORE_FILES = 1.10, 1.25
WARM_UP_RELOADS = 100
"""Memory rises until the eightieth or so, and stays there for hundreds (measured)."""


class Couple:
    """A daemon that lives on, and one that does not."""

    def __init__(self, steady: Site, mortal: Site) -> None:
        self.sites = steady, mortal
        self.processes = [site.start() for site in self.sites]
        self.strokes: Counter[str] = Counter()
        self.gauges = Gauges()

    def warm_up(self) -> None:
        """Bring the daemon that lives on to what it needs from then on."""
        for _ in range(WARM_UP_RELOADS):
            self._reload_and_wait()

    def _reload_and_wait(self) -> None:
        before = self._owner
        self._reload()
        wait_until(lambda: self._owner not in (None, before), 30, "a reload")

    @property
    def _owner(self) -> str | None:
        """By what name the daemon that lives on claims; another one after a reload."""
        pid = self.processes[0].pid
        owners = [row.owner for row in self.sites[0].daemons if row.pid == pid]
        return owners[0] if owners else None

    def strike(self) -> None:
        """Something that operators, or their machines, do."""
        stroke = random.choice((self._kill, self._reload, self._rotate))
        stroke()
        self.strokes[stroke.__name__.strip("_")] += 1

    def _kill(self) -> None:
        self.processes[1].kill()
        self.processes[1].communicate()
        self.processes[1] = self.sites[1].start()

    def _reload(self) -> None:
        self.sites[0].configure(MAILDROP_CONCURRENCY=random.randint(2, 8))
        self.processes[0].send_signal(signal.SIGHUP)

    def _rotate(self) -> None:
        for site in self.sites:
            log = site.home / "var" / "maildrop.log"
            if log.exists():
                log.rename(log.with_suffix(f".{random.randrange(3)}"))

    def look(self) -> None:
        """Both are alive; a sample of the one that is not killed."""
        for site, process in zip(self.sites, self.processes, strict=True):
            assert process.poll() is None, site.log[-2000:]
        self.gauges.look(self.processes[0].pid)

    def end(self) -> None:
        for process in self.processes:
            process.kill()
            process.communicate()


@pytest.fixture
def couple(tmp_path):
    with ExitStack() as running:
        relay = running.enter_context(Moody())
        sites = []
        for name in ("steady", "mortal"):
            (tmp_path / name).mkdir()
            sites.append(Site(tmp_path / name, f"sqlite:///{tmp_path}/queue.db"))
            sites[-1].configure(
                SMTP_PORT=relay.port,
                MAILDROP_BOUNCE=0,
                MAILDROP_INTERVAL=1,
                MAILDROP_RETRY_MAX=2,
                MAILDROP_CONCURRENCY=4,
            )
            running.callback(sites[-1].queue.close)
        couple = Couple(*sites)
        running.callback(couple.end)
        wait_until((sites[0].home / "spool").is_dir, 30, "a drop directory")
        # Until its own signal handlers are there SIGHUP would end it.
        wait_until(lambda: len(sites[0].daemons) == 2, 30, "both heartbeats")
        yield couple, relay


def write(site, name, seconds, told):
    """A process that writes; its words go to the file `told`."""
    spool = str(site.home / "spool")
    arguments = ["{}", site.configuration.queue, spool, name, str(seconds), PAUSE]
    command = [sys.executable, writer.__file__, *arguments]
    with told.open("wb") as output:
        paths = ":".join(path for path in sys.path if path)
        return subprocess.Popen(command, stdout=output, env={"PYTHONPATH": paths})


def steps_told(files):
    steps = {}
    for file in files:
        for line in file.read_text().splitlines():
            _, step, name = line.split()
            steps[name] = step
    return steps


def nothing_waits(site):
    with site.queue.read() as tx:
        states = stats(tx, time.time()).states
    return not any(states[state] for state in WAITING)


def faults(steps, relay, queue):
    """Every line of the ledger that does not add up."""
    has = Counter(
        each.sender.partition("@")[0]
        for each in relay.received
        # After a drop nobody knows: such a server may have it.
        if not isinstance(each.reply, str) or each.reply.startswith("2")
    )
    kept = {mail.name: mail for mail in mails(queue)}
    for name, step in steps.items():
        mail = kept.get(name)
        if ALLOWED[step] == {DUE} and (mail is None or mail.standing != DUE):
            yield f"{name} is lost after {step}"
        if DUE not in ALLOWED[step] and has[name]:
            yield f"{name} was sent after {step}"
    for name, mail in kept.items():
        if mail.state == "sent" and not has[name]:
            yield f"{name} counts as sent, and nobody has it"
        if has[name] > 1 and not mail.possible_duplicate:
            yield f"{name} was sent {has[name]} times and is not marked"
    yield from (f"{name} came from nowhere" for name in has.keys() - kept.keys())


def test_the_ledger_is_right_and_nothing_grows(couple, tmp_path, request, capsys):
    couple, relay = couple
    seconds = request.config.getoption("--soak-minutes") * 60
    site = couple.sites[0]
    files = [tmp_path / f"told{number}" for number in range(WRITERS)]
    writers = [
        write(site, f"w{number}", seconds, told) for number, told in enumerate(files)
    ]
    try:
        couple.warm_up()
        next_stroke = time.monotonic()
        while any(process.poll() is None for process in writers):
            time.sleep(0.1)
            couple.look()
            if time.monotonic() > next_stroke:
                couple.strike()
                relay.forget_contents()
                next_stroke = time.monotonic() + random.uniform(1.0, 5.0)
        assert [process.returncode for process in writers] == [0] * WRITERS
    finally:
        for process in writers:
            process.kill()
            process.wait()
    relay.calm = True
    wait_until(lambda: nothing_waits(site), SETTLE_SECONDS, "the end of all mail")
    wait_until(lambda: not list((site.home / "spool").glob("[!.]*")), 30, "all drops")
    wait_until(lambda: nothing_waits(site), SETTLE_SECONDS, "the end of all drops")
    steps = steps_told(files)
    memory = couple.gauges.thirds(lambda sample: sample.memory)
    opened = couple.gauges.thirds(lambda sample: sample.files)
    with capsys.disabled():
        report(steps, relay, couple, site, memory, opened)
    found = list(faults(steps, relay, site.queue))
    assert not found, found[:20]
    assert memory[1] <= memory[0] * MORE_MEMORY
    assert opened[1] <= opened[0] * MORE_FILES


def report(steps, relay, couple, site, memory, opened):
    kept = mails(site.queue)
    states = Counter(mail.state for mail in kept)
    marked = sum(mail.possible_duplicate for mail in kept)
    words = Counter(
        "due" if ALLOWED[each] == {DUE} else each for each in steps.values()
    )
    print(f"\n{len(steps):>8,} mails told of: {dict(words)}")
    print(f"{len(kept):>8,} in the queue's records: {dict(states)}, {marked} marked")
    print(f"{sum(relay.moods.values()):>8,} moods of the relay: {dict(relay.moods)}")
    print(f"{couple.strokes.total():>8,} strokes: {dict(couple.strokes)}")
    print(f"{len(couple.gauges.samples):>8,} samples; first third, last third:")
    print(f"         memory {memory[0] / MEGABYTE:.1f} {memory[1] / MEGABYTE:.1f} MB")
    print(f"         open files {opened[0]:.0f} {opened[1]:.0f}")
