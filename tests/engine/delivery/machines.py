"""Machines whose daemons share a queue, and what each finds of the relay."""

from __future__ import annotations

from engine.delivery.permitting import permits

from collective.maildrophost.engine.config import RelayAddress
from collective.maildrophost.engine.delivery.failover import Failover
from collective.maildrophost.engine.delivery.relayhealth import PausePolicy
from collective.maildrophost.engine.delivery.relaywatch import RelayWatch
from collective.maildrophost.engine.delivery.terms import Objection
from collective.maildrophost.engine.queue.hours import count
from collective.maildrophost.engine.smtp import Phase, RelayFault
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
        """Another daemon got through; this one hears of it when it wants to probe."""
        self.clock.now = max(self.clock.now, self.permits.health.paused_until)
        self.permits.heed(Objection(good=True), self.clock.now)

    def others_send(self, owner="relay:25"):
        """Another daemon gets mail through, which is seen at the next look."""
        with self.queue.write() as tx:
            count(tx, [(owner, Outcome.SENT)], self.clock.now)
        self.clock.now += 1
        self.watch._hear_of_others(self.watch._read(self.queue), self.clock.now)
