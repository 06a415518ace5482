"""What one daemon finds of the relay, and what the others do with it."""

from __future__ import annotations

from contextlib import closing

import pytest

from collective.maildrophost.engine.config import RelayAddress
from collective.maildrophost.engine.delivery import watch as watching
from collective.maildrophost.engine.delivery.pace import Pace
from collective.maildrophost.engine.delivery.permits import Permits
from collective.maildrophost.engine.delivery.relayhealth import PausePolicy
from collective.maildrophost.engine.delivery.relaynotes import FaultBegan
from collective.maildrophost.engine.delivery.route import Failover
from collective.maildrophost.engine.delivery.together import Objection
from collective.maildrophost.engine.delivery.watch import Watch
from collective.maildrophost.engine.identity import own_identity
from collective.maildrophost.engine.queue import Daemon, open_queue, register, wake
from collective.maildrophost.engine.smtp import Phase, RelayFault

NOW = 1_800_000_000.0
RELAY = RelayAddress("relay", 25)
FAULT = RelayFault(RELAY, Phase.CONNECT, "no route")


class Ledger:
    """Keeps what it is told."""

    notes_wait = False

    def __init__(self):
        self.notes = []

    def note(self, note):
        self.notes.append(note)

    def wake(self):
        """There is nobody to wake."""


class Route:
    hosts = (RELAY,)


class Machine:
    """A daemon's watch, with a clock that stands."""

    def __init__(self, queue):
        self.permits, self.ledger = Permits(Pace.of(0.0, 0)), Ledger()
        pause = PausePolicy()
        failover = Failover(Route(), pause, lambda: NOW)
        self.watch = Watch(
            str(RELAY), failover, self.permits, self.ledger, pause, None, "me"
        )
        self.watch.remember(queue)

    @property
    def pause_seconds(self):
        return self.permits.health.paused_until - NOW

    def fails(self):
        """What is written down of it."""
        self.watch.failed(FAULT)
        return self.ledger.notes.pop()


@pytest.fixture
def queue(tmp_path):
    with closing(open_queue(f"sqlite:///{tmp_path}/queue.db")) as queue:
        yield queue


@pytest.fixture
def make_machine(queue, monkeypatch):
    """A machine, beside another one whose daemon has a relay of that name, or none."""

    class Clock:
        time = staticmethod(lambda: NOW)

    monkeypatch.setattr(watching, "time", Clock)

    def make(*others):
        with queue.write() as tx:
            for relay in others:
                lease = NOW - 1, NOW, NOW + 60
                register(
                    tx, Daemon(relay, "host", 1, own_identity(), "", relay, *lease)
                )
        return Machine(queue)

    return make


def test_the_next_probe_is_another_daemon_s(make_machine):
    machine = make_machine("relay:25")
    paused = machine.fails().paused
    assert machine.pause_seconds == 2.0 + watching.YIELD_SECONDS
    assert paused.paused_until == NOW + 2.0


@pytest.mark.parametrize("others", [(), ("another:25",)])
def test_it_is_the_daemon_s_own_where_nobody_else_has_that_relay(make_machine, others):
    machine = make_machine(*others)
    paused = machine.fails().paused
    assert machine.pause_seconds == 2.0
    assert paused.paused_until == NOW + 2.0


def contradict(machine):
    """Another daemon has got through, which this one hears when it wants to probe."""
    machine.permits.heed(Objection(good=True), NOW)


def test_what_this_machine_alone_meets_pauses_no_other(make_machine):
    machine = make_machine("relay:25")
    machine.fails()
    contradict(machine)
    assert machine.permits.count(0, NOW) is None
    # The mail that it had taken is another's.
    assert machine.fails() is wake
    assert machine.pause_seconds == 2.0


def test_with_nobody_else_left_it_is_told_again(make_machine):
    machine = make_machine()
    machine.fails()
    contradict(machine)
    assert isinstance(machine.fails(), FaultBegan)


def test_a_mail_that_gets_through_makes_up_for_it(make_machine):
    machine = make_machine("relay:25")
    machine.fails()
    contradict(machine)
    machine.watch.works(RELAY)
    assert isinstance(machine.fails(), FaultBegan)
