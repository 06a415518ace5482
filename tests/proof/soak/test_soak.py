"""Everything at once for minutes: the ledger is right, and nothing grows.

`make soak`. Two daemons have one queue: one of them is killed again and again, the
other lives through all of it, and is what the gauges look at. A Zope is killed, too.
"""

from __future__ import annotations

import random
import time
from collections import Counter
from contextlib import ExitStack

import pytest
from engine.conftest import Site
from proof.powercut.ledger import ALLOWED, DUE, mails
from proof.soak.gauges import MEGABYTE
from proof.soak.ledger import faults, steps_told
from proof.soak.machine import Machine
from proof.soak.moody import Moody
from proof.soak.pages import sent
from waiting import wait_until

from collective.maildrophost.engine.queue import State, stats

SETTLE_SECONDS = 120.0
WAITING = (State.QUEUED, State.DEFERRED, State.SENDING)
MORE_MEMORY, MORE_FILES = 1.10, 1.25


@pytest.fixture
def relay():
    with Moody() as relay:
        yield relay


@pytest.fixture
def machine(tmp_path, relay):
    with ExitStack() as running:
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
        machine = Machine(*sites, tmp_path)
        running.callback(machine.end)
        wait_until((sites[0].home / "spool").is_dir, 30, "a drop directory")
        # Until its own signal handlers are there SIGHUP would end it.
        wait_until(lambda: len(sites[0].daemons) == 2, 30, "both heartbeats")
        yield machine


def nothing_waits(site):
    with site.queue.read() as tx:
        states = stats(tx, time.time()).states
    return not any(states[state] for state in WAITING)


def let_all_happen(machine, relay, seconds):
    machine.begin(seconds)
    machine.warm_up()
    next_stroke = time.monotonic()
    while not machine.ended:
        time.sleep(0.1)
        machine.look()
        if time.monotonic() > next_stroke:
            machine.strike()
            relay.forget_contents()
            next_stroke = time.monotonic() + random.uniform(1.0, 5.0)


def let_all_end(site, relay):
    relay.calm = True
    wait_until(lambda: nothing_waits(site), SETTLE_SECONDS, "the end of all mail")
    wait_until(lambda: not list((site.home / "spool").glob("[!.]*")), 30, "all drops")
    wait_until(lambda: nothing_waits(site), SETTLE_SECONDS, "the end of all drops")


def test_the_ledger_is_right_and_nothing_grows(machine, relay, request, capsys):
    let_all_happen(machine, relay, request.config.getoption("--soak-minutes") * 60)
    site = machine.sites[0]
    let_all_end(site, relay)
    told, pages = steps_told(machine.told), sent(machine.database)
    kept = mails(site.queue)
    memory = machine.gauges.thirds(lambda sample: sample.memory)
    opened = machine.gauges.thirds(lambda sample: sample.files)
    with capsys.disabled():
        report(told, pages, kept, relay, machine, memory, opened)
    steps = {**told, **dict.fromkeys(pages, "released")}
    found = list(faults(steps, relay.received, kept))
    assert not found, found[:20]
    assert memory[1] <= memory[0] * MORE_MEMORY
    assert opened[1] <= opened[0] * MORE_FILES


def report(told, pages, kept, relay, machine, memory, opened):
    states = Counter(mail.state for mail in kept)
    marked = sum(mail.possible_duplicate for mail in kept)
    words = Counter("due" if ALLOWED[each] == {DUE} else each for each in told.values())
    again = sum(tries > 1 for tries in pages.values())
    print(f"\n{len(told):>8,} mails told of: {dict(words)}")
    print(f"{len(pages):>8,} mails of Zope's pages, {again} after conflicts")
    print(f"{sum(machine.decided.values()):>8,} batches in doubt: {machine.decided}")
    print(f"{len(kept):>8,} in the queue's records: {dict(states)}, {marked} marked")
    print(f"{sum(relay.moods.values()):>8,} moods of the relay: {dict(relay.moods)}")
    print(f"{machine.strokes.total():>8,} strokes: {dict(machine.strokes)}")
    print(f"{len(machine.gauges.samples):>8,} samples; first third, last third:")
    print(f"         memory {memory[0] / MEGABYTE:.1f} {memory[1] / MEGABYTE:.1f} MB")
    print(f"         open files {opened[0]:.0f} {opened[1]:.0f}")
