"""What one daemon finds of the relay, and what the others do with it."""

from __future__ import annotations

import asyncio
from contextlib import closing
from dataclasses import replace

import pytest
from engine.delivery.permitting import permits
from waiting import PATIENCE_SECONDS

from collective.maildrophost.engine.config import RelayAddress
from collective.maildrophost.engine.delivery import relaywatch as watching
from collective.maildrophost.engine.delivery.failover import Failover
from collective.maildrophost.engine.delivery.relayhealth import PausePolicy
from collective.maildrophost.engine.delivery.relaynotes import FaultBegan, FaultEnded
from collective.maildrophost.engine.delivery.relaywatch import RelayWatch
from collective.maildrophost.engine.delivery.terms import Objection
from collective.maildrophost.engine.queue import (
    Daemon,
    RelayPause,
    open_queue,
    pause,
    register,
    retire,
    wake,
)
from collective.maildrophost.engine.queue.hours import count
from collective.maildrophost.engine.smtp import Phase, RelayFault
from collective.maildrophost.engine.system.identity import own_identity
from collective.maildrophost.engine.verdict import Outcome

BEGAN = 1_800_000_000.0
RELAY = RelayAddress("relay", 25)
FAULT = RelayFault(RELAY, Phase.CONNECT, "no route")


class Ledger:
    """Keeps what it is told."""

    notes_wait = False

    def __init__(self):
        self.notes = []
        self.woken = 0

    def note(self, note):
        self.notes.append(note)

    def wake(self):
        self.woken += 1


class Route:
    hosts = (RELAY,)


class Clock:
    now = BEGAN

    def time(self):
        return self.now


class Machine:
    """A daemon's watch, with a clock that goes on when a test says so."""

    def __init__(self, queue, clock):
        self.queue, self.clock = queue, clock
        self.permits, self.ledger = permits(), Ledger()
        pause = PausePolicy()
        failover = Failover(Route(), pause, clock.time)
        self.watch = RelayWatch(
            str(RELAY), failover, self.permits, self.ledger, pause, None, "me"
        )
        self.watch.remember(queue)

    @property
    def pause_seconds(self):
        return self.permits.health.paused_until - self.clock.now

    def fails(self):
        """What is written down of it."""
        self.watch.failed(FAULT)
        return self.ledger.notes.pop()

    def is_contradicted(self):
        """Another daemon has got through: heard when this one wants to probe."""
        self.clock.now = max(self.clock.now, self.permits.health.paused_until)
        self.permits.heed(Objection(good=True), self.clock.now)

    def others_send(self, owner="relay:25"):
        """Another daemon gets something through, which is seen at the next look."""
        with self.queue.write() as tx:
            count(tx, [(owner, Outcome.SENT)], self.clock.now)
        self.clock.now += 1
        self.watch._hear_of_others(self.watch._read(self.queue), self.clock.now)


@pytest.fixture
def queue(tmp_path):
    with closing(open_queue(f"sqlite:///{tmp_path}/queue.db")) as queue:
        yield queue


@pytest.fixture
def make_machine(queue, monkeypatch):
    """A machine, beside others whose daemons have relays of these names."""
    clock = Clock()
    monkeypatch.setattr(watching, "time", clock)

    def make(*others):
        with queue.write() as tx:
            for relay in others:
                lease = BEGAN - 1, BEGAN, BEGAN + 9000
                register(
                    tx, Daemon(relay, "host", 1, own_identity(), "", relay, *lease)
                )
        return Machine(queue, clock)

    return make


def test_the_next_probe_is_another_daemon_s(make_machine):
    machine = make_machine("relay:25")
    paused = machine.fails().paused
    assert machine.pause_seconds == 2.0 + watching.YIELD_SECONDS
    assert paused.paused_until == BEGAN + 2.0


@pytest.mark.parametrize("others", [(), ("another:25",)])
def test_it_is_the_daemon_s_own_where_nobody_else_has_that_relay(make_machine, others):
    machine = make_machine(*others)
    paused = machine.fails().paused
    assert machine.pause_seconds == 2.0
    assert paused.paused_until == BEGAN + 2.0


def test_the_daemon_itself_is_no_other(queue, make_machine):
    lease = BEGAN - 1, BEGAN, BEGAN + 9000
    with queue.write() as tx:
        register(tx, Daemon("me", "host", 1, own_identity(), "", str(RELAY), *lease))
    machine = make_machine()
    machine.fails()
    assert machine.pause_seconds == 2.0


@pytest.fixture
def alone(make_machine):
    """A machine that has met a fault, while another one gets through."""
    machine = make_machine("relay:25")
    machine.fails()
    machine.is_contradicted()
    machine.others_send()
    return machine


def test_what_this_machine_alone_meets_pauses_no_other(alone):
    # The mail that it had taken is another's.
    assert alone.fails() is wake
    assert alone.pause_seconds == 2.0


def test_it_tries_one_mail_then_and_not_a_load_of_them(alone):
    now = alone.clock.now
    assert alone.permits.count(now, 0) == 1
    alone.permits.started(now, 7, None)
    assert alone.permits.count(now, 0) == 0
    alone.permits.ended([7])
    assert alone.permits.count(now, 0) == 1
    alone.watch.works(RELAY)
    assert alone.permits.count(now, 0) is None


@pytest.mark.parametrize("sender", ["another:25", "me"])
def test_nobody_is_alone_for_what_others_did_long_ago_or_elsewhere(
    make_machine, sender
):
    machine = make_machine("relay:25", "another:25")
    machine.fails()
    machine.is_contradicted()
    machine.others_send(sender)
    assert isinstance(machine.fails(), FaultBegan)


def test_an_outage_that_follows_is_everybody_s(alone):
    alone.fails()
    alone.is_contradicted()
    # Nothing has got through since.
    paused = alone.fails().paused
    assert paused.failures == 1
    assert paused.paused_until == alone.clock.now + 2.0


def test_what_this_machine_alone_meets_is_an_error_at_first_and_then_a_warning(
    make_machine, caplog
):
    machine = make_machine("relay:25")
    for _ in range(4):
        machine.watch.failed(RelayFault(RELAY, Phase.AUTH, "no route", permanent=True))
        machine.is_contradicted()
        machine.others_send()
    levels = [each.levelname for each in caplog.records if "no route" in each.message]
    # The first time nobody knows yet that it is alone.
    assert levels == ["ERROR", "ERROR", "WARNING", "WARNING"]


def test_what_comes_of_a_probe_for_all_is_told_to_all(alone):
    now = alone.clock.now
    pause = RelayPause(str(RELAY), "down", now, now + 2.0, 1)
    alone.permits.heed(Objection(pause=pause), now)
    alone.others_send()
    alone.clock.now = pause.paused_until
    assert isinstance(alone.fails(), FaultBegan)


def test_with_nobody_else_left_it_is_told_again(make_machine):
    machine = make_machine()
    machine.fails()
    machine.is_contradicted()
    assert isinstance(machine.fails(), FaultBegan)


def test_a_mail_that_gets_through_makes_up_for_it(alone):
    alone.watch.works(RELAY)
    assert isinstance(alone.fails(), FaultBegan)


def test_who_is_left_alone_tells_it_again_whoever_got_through_before(alone, queue):
    with queue.write() as tx:
        retire(tx, "relay:25")
    alone.watch._hear_of_others(alone.watch._read(queue), alone.clock.now)
    assert isinstance(alone.fails(), FaultBegan)


def test_a_fault_is_told_once_for_each_pause(make_machine):
    machine = make_machine()
    machine.fails()
    machine.watch.failed(FAULT)
    assert machine.ledger.notes == []


def test_its_end_is_told_and_mail_goes_on_at_once(make_machine):
    machine = make_machine()
    machine.fails()
    machine.watch.works(RELAY)
    (note,) = machine.ledger.notes
    assert isinstance(note, FaultEnded)
    assert note.paused_until is None
    assert machine.ledger.woken == 1


FOUND = RelayPause(str(RELAY), "no route", BEGAN - 20.0, BEGAN + 20.0, 5)
"""By another daemon, just now."""


def test_a_clock_that_was_set_back_has_no_daemon_end_what_others_have_found(
    make_machine,
):
    machine = make_machine("relay:25")
    machine.clock.now += 3600
    machine.watch.works(RELAY)
    machine.clock.now = BEGAN
    machine.watch.heed(FOUND, BEGAN)
    assert not machine.permits.health.good
    assert machine.ledger.notes == []


def test_who_has_seen_better_since_a_fault_was_found_ends_it(make_machine):
    machine = make_machine("relay:25")
    machine.clock.now += 1
    machine.watch.works(RELAY)
    machine.watch.heed(FOUND, machine.clock.now)
    assert machine.permits.health.good
    (note,) = machine.ledger.notes
    assert isinstance(note, FaultEnded)
    # Not one that was found since.
    assert note.paused_until == FOUND.paused_until


def test_who_hears_of_a_fault_or_its_end_looks_at_its_mail(make_machine):
    machine = make_machine("relay:25")
    machine.watch.heed(FOUND, BEGAN)
    assert (machine.permits.health.good, machine.ledger.woken) == (False, 1)
    machine.watch.heed(None, BEGAN)
    assert (machine.permits.health.good, machine.ledger.woken) == (True, 2)


def test_a_pause_that_is_over_stops_nobody_who_has_not_met_the_fault(make_machine):
    machine = make_machine("relay:25")
    machine.watch.heed(FOUND, FOUND.paused_until + 1)
    assert machine.permits.health.good
    assert machine.ledger.notes == []


def test_a_fault_of_its_own_is_not_over_because_nobody_has_it_written(make_machine):
    machine = make_machine("relay:25")
    machine.fails()
    machine.watch.heed(None, BEGAN)
    assert not machine.permits.health.good


def test_whoever_has_found_the_end_of_a_fault_gets_through(make_machine):
    machine = make_machine("relay:25")
    machine.fails()
    machine.watch.heed(FOUND, BEGAN)
    machine.clock.now += 1
    machine.watch.heed(None, machine.clock.now)
    assert machine.fails() is wake


def test_the_fault_of_another_relay_is_not_remembered(queue, make_machine):
    with queue.write() as tx:
        pause(tx, replace(FOUND, name="another:25"))
    assert make_machine("relay:25").permits.health.good


@pytest.mark.parametrize("newer", ["found meanwhile", "not yet written"])
def test_what_was_found_here_is_newer_than_a_look(
    queue, make_machine, monkeypatch, newer
):
    monkeypatch.setattr(watching, "LOOK_SECONDS", 0.0)
    with queue.write() as tx:
        pause(tx, FOUND)
    machine = make_machine("relay:25")
    machine.ledger.notes_wait = newer == "not yet written"
    looks = []

    def look(_queue):
        looks.append(machine.permits.health.good)
        if newer == "found meanwhile":
            machine.clock.now = machine.permits.health.paused_until
            machine.watch.failed(FAULT)
        return watching._Seen(None, True, 0)

    async def follow():
        following = asyncio.create_task(machine.watch.follow(queue))
        while len(looks) < 3:
            await asyncio.sleep(0)
        following.cancel()

    monkeypatch.setattr(machine.watch, "_read", look)
    asyncio.run(asyncio.wait_for(follow(), PATIENCE_SECONDS))
    assert not any(looks)


def test_the_end_of_a_fault_that_was_known_at_the_start_is_heard_of(
    queue, make_machine
):
    with queue.write() as tx:
        pause(tx, FOUND)
    machine = make_machine("relay:25")
    assert not machine.permits.health.good
    machine.watch.heed(None, BEGAN + 1)
    assert machine.permits.health.good
