"""One queue for every promise, on each database there is."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import count

import pytest
from daemons import daemon_seen

from collective.maildrophost.engine.message import Lane, Message, compose
from collective.maildrophost.engine.queue import (
    Daemon,
    Settlement,
    State,
    claim,
    due,
    enqueue,
    get_message,
    hold_messages,
    new_batch,
    open_queue,
    prepare,
    register,
    settle,
)
from collective.maildrophost.engine.verdict import Outcome, Verdict

NOW = 1_800_000_000.0


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request, tmp_path) -> str:
    """Where a test has its queue; another database is another parameter here."""
    if request.param == "postgresql":
        return request.getfixturevalue("postgresql_url")
    return f"sqlite:///{tmp_path}/home/queue.db"


@pytest.fixture(params=["sqlite", "postgresql"])
def empty_url(request, tmp_path) -> Iterator[str]:
    """Where there is no queue yet."""
    if request.param == "postgresql":
        server = request.getfixturevalue("postgresql")
        name = server.create()
        yield server.url(name)
        server.drop(name)
    else:
        yield f"sqlite:///{tmp_path}/home/queue.db"


@pytest.fixture
def queue(url):
    queue = open_queue(url)
    yield queue
    queue.close()


@dataclass
class Hands:
    """Short words for what senders and daemons do, each in a transaction of its own."""

    queue: object
    now: float = NOW
    ended: Iterator[int] = field(default_factory=count)

    def mail(
        self, *recipients, subject="hello", lane=None, at=None, octets=0
    ) -> Message:
        return compose(
            f"Subject: {subject}\nMessage-Id: <{subject}@x>\n\nbody\n{'x' * octets}",
            "a@x.org",
            recipients or ("b@x.org",),
            lane=lane,
            at=at,
            now=self.now,
        )

    def send(self, *messages) -> tuple[str, ...]:
        with self.queue.write() as tx:
            return enqueue(tx, messages or (self.mail(),), self.now)

    def claim(self, owner="one", limit=100, now=None):
        """Claim what is due, lane by lane."""
        with self.queue.write() as tx:
            now = self.now if now is None else now
            waiting = due(tx, limit, now).lanes
            ids = [key for lane in Lane for key in waiting[lane]]
            return claim(tx, owner, ids[:limit], now)

    def register(self, owner, lease=60.0) -> Daemon:
        own = {"owner": owner, "doorbell": f"/run/{owner}"}
        daemon = daemon_seen(self.now, **own, lease_until=self.now + lease)
        with self.queue.write() as tx:
            register(tx, daemon)
        return daemon

    def settlement(
        self,
        claimed,
        *outcomes,
        due=None,
        duplicate=False,
        notifications=(),
        warned=False,
    ) -> Settlement:
        """For the claim's recipients, in their order; None: it was not tried."""
        replies = {
            Outcome.SENT: "250 2.0.0 Ok",
            Outcome.DEFERRED: "450 4.2.0 later",
            Outcome.FAILED: "550 5.1.1 no",
        }
        verdicts = tuple(
            (recipient.position, Verdict(outcome, replies[outcome]))
            for recipient, outcome in zip(claimed.recipients, outcomes, strict=False)
            if outcome is not None
        )
        others = claimed.more or len(verdicts) < len(claimed.recipients)
        return Settlement(
            claimed.id,
            claimed.created,
            claimed.attempts,
            claimed.owner,
            # No two attempts end at the same moment.
            self.now + 0.001 * next(self.ended),
            "relay:25",
            verdicts,
            self.now + 60 if due is None else due,
            duplicate,
            tuple(notifications),
            warned,
            others and claimed.again,
        )

    def settle(self, claimed, *outcomes, now=None, **options) -> None:
        """Write the `settlement` down."""
        settlement = self.settlement(claimed, *outcomes, **options)
        with self.queue.write() as tx:
            settle(tx, [settlement], self.now if now is None else now)

    def message(self, id):
        with self.queue.read() as tx:
            return get_message(tx, str(id))

    def do(self, operation, *arguments):
        with self.queue.write() as tx:
            return operation(tx, *arguments)


@pytest.fixture
def hands(queue) -> Hands:
    return Hands(queue)


@pytest.fixture
def now() -> float:
    return NOW


@pytest.fixture
def one_of_each(hands):
    """The id of a message in each state."""
    found = {}
    for state, outcome in (
        (State.SENT, Outcome.SENT),
        (State.FAILED, Outcome.FAILED),
        (State.DEFERRED, Outcome.DEFERRED),
    ):
        (found[state],) = hands.send()
        hands.settle(hands.claim()[0], outcome)
    (found[State.SENDING],) = hands.send()
    hands.claim("busy")
    (found[State.HELD], found[State.QUEUED]) = hands.send(hands.mail(), hands.mail())
    hands.do(hold_messages, [found[State.HELD]])
    prepared = hands.do(prepare, new_batch(), [hands.mail()], hands.now)
    (found[State.PREPARED],) = prepared
    assert {hands.message(id).state: id for id in found.values()} == found
    return found
