"""What goes on while a daemon is killed: mail, and how the relay takes it.

A scene sets up a house and its relay, and returns the subjects of the mail that the
queue has promised to send.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterable
from typing import TypeAlias

from proof.crash.house import House
from servers.scripted import Drop, Scripted

from collective.maildrophost.engine.large import LARGE_OCTETS
from collective.maildrophost.engine.message import Lane, Message, compose, mailfile
from collective.maildrophost.engine.queue import (
    Batch,
    Daemon,
    RelayPause,
    claim,
    delete_messages,
    due,
    enqueue,
    hold_messages,
    pause,
    recover,
    register,
    remember_batch,
    tables,
)

Scene: TypeAlias = Callable[[House, Scripted], Iterable[str]]

FINE = "250 2.0.0 Ok"
LATER = "451 4.3.0 not now"
NOBODY = "550 5.1.1 nobody of that name"
DAY = 86400.0


def mail(subject: str, *recipients: str, body: str = "hello\n") -> Message:
    """A mail that is known by its subject."""
    text = f"From: a@example.org\nSubject: {subject}\n\n{body}"
    return compose(
        text, "a@example.org", recipients or ("b@example.org",), now=time.time()
    )


def queued(house: House, *messages: Message, ago: float = 0.0) -> tuple[str, ...]:
    """Put them into the queue, as if that had been so many seconds ago."""
    with house.queue.write() as tx:
        return enqueue(tx, messages, time.time() - ago)


def delivery(house: House, relay: Scripted) -> Iterable[str]:
    queued(house, mail("plain"))
    return ["plain"]


def in_flight(house: House, relay: Scripted) -> Iterable[str]:
    house.constants["engine.daemon.heartbeat.RENEW_SECONDS"] = 0.01
    # Should all be delivered by then: who looks again notices that its books are gone.
    house.configure(MAILDROP_INTERVAL=0.1)
    return delivery(house, relay)


def many(house: House, relay: Scripted) -> Iterable[str]:
    names = [f"many-{number}" for number in range(8)]
    queued(house, *map(mail, names))
    return names


def two_recipients(house: House, relay: Scripted) -> Iterable[str]:
    relay.follow({"RCPT:c@example.org": NOBODY})
    queued(house, mail("both", "b@example.org", "c@example.org"))
    return ["both"]


def deferral(house: House, relay: Scripted) -> Iterable[str]:
    relay.follow({"END": [LATER, FINE]})
    queued(house, mail("later"))
    return ["later"]


def refusal(house: House, relay: Scripted) -> Iterable[str]:
    relay.follow({"RCPT:b@example.org": NOBODY})
    queued(house, mail("refused"))
    return ["refused"]


def expiry(house: House, relay: Scripted) -> Iterable[str]:
    relay.follow({"RCPT:b@example.org": LATER})
    queued(house, mail("old"), ago=6 * DAY)
    return ["old"]


def delay(house: House, relay: Scripted) -> Iterable[str]:
    relay.follow({"RCPT:b@example.org": [LATER, FINE]})
    queued(house, mail("late"), ago=DAY)
    return ["late"]


def relay_at_fault(house: House, relay: Scripted) -> Iterable[str]:
    relay.follow({"GREETING": [Drop(b"421 4.3.2 not now\r\n"), "220 fine"]})
    queued(house, mail("patient"))
    return ["patient"]


def probe_in_vain(house: House, relay: Scripted) -> Iterable[str]:
    greetings = [Drop(b"421 4.3.2 not now\r\n"), "220 fine"]
    relay.follow({"GREETING": greetings, "MAIL": [Drop(), FINE]})
    queued(house, mail("patient"))
    return ["patient"]


def login_wanted(house: House, relay: Scripted) -> Iterable[str]:
    relay.follow({"MAIL": ["530 5.7.0 log in first", FINE]})
    queued(house, mail("suspect"), mail("other"))
    return ["suspect", "other"]


def relay_at_fault_for_long(house: House, relay: Scripted) -> Iterable[str]:
    house.configure(MAILDROP_POSTMASTER="p@example.org")
    relay.follow({"GREETING": [Drop(b"421 4.3.2 not now\r\n"), "220 fine"]})
    since = time.time() - DAY
    with house.queue.write() as tx:
        name = f"127.0.0.1:{relay.port}"
        pause(tx, RelayPause(name, "refused", since, time.time(), 1))
    queued(house, mail("patient"))
    return ["patient"]


def pace(house: House, relay: Scripted) -> Iterable[str]:
    house.configure(WAIT_INTERVAL=0.01)
    queued(house, mail("slowly"))
    return ["slowly"]


def another_has_died(house: House, relay: Scripted) -> Iterable[str]:
    """Its mail is in flight, its row says that it is alive, its process is gone."""
    large = mail("large-of-a-dead-one", body="x\n" * LARGE_OCTETS)
    queued(house, mail("of-a-dead-one"), large)
    now = time.time()
    with house.queue.write() as tx:
        # Only what one before it has had as well is put off.
        claim(tx, "c" * 32, due(tx, 9, now).lanes[Lane.NORMAL], now)
        recover(tx, "c" * 32)
        register(tx, Daemon("d" * 32, "here", 1, "gone", "", "", now, now, now - 1))
        claim(tx, "d" * 32, due(tx, 9, now).lanes[Lane.NORMAL], now)
    return ["of-a-dead-one", "large-of-a-dead-one"]


def another_has_vanished(house: House, relay: Scripted) -> Iterable[str]:
    """It claimed something after it had been taken for dead."""
    queued(house, mail("of-nobody"))
    with house.queue.write() as tx:
        now = time.time()
        claim(tx, "d" * 32, due(tx, 9, now).lanes[Lane.NORMAL], now)
    return ["of-nobody"]


def history(house: House, relay: Scripted) -> Iterable[str]:
    """Records that are old enough to be forgotten, mail that is not."""
    house.configure(MAILDROP_FAILED_DAYS=30)
    ids = queued(house, mail("forgotten"), ago=100 * DAY)
    schedule = tables.schedule
    with house.queue.write() as tx:
        old = schedule.c.message_id == int(ids[0])
        tx.execute(
            schedule.update()
            .where(old)
            .values(state="sent", due=time.time() - 99 * DAY)
        )
    queued(house, mail("plain"))
    return ["plain"]


def old_batch(house: House, relay: Scripted) -> Iterable[str]:
    """What is known of a batch whose mail is gone; and mail of no batch."""
    with house.queue.write() as tx:
        remember_batch(tx, Batch("b" * 32, "gone"))
    return delivery(house, relay)


def dropped_file(house: House, relay: Scripted) -> Iterable[str]:
    house.configure(MAILDROP_SPOOL=house.home / "spool")
    spool = house.home / "spool"
    spool.mkdir()
    content = b"Subject: dropped\n\nhello\n"
    text = f"{mailfile.START.decode()}b@example.org\n##From:a@example.org\n"
    (spool / "mail").write_bytes(text.encode() + content)
    return ["dropped"]


def old_key(house: House, relay: Scripted) -> Iterable[str]:
    """The key of a file that is long gone; it is forgotten after the second scan."""
    house.constants["engine.daemon.housekeeping.PRUNE_SECONDS"] = 0.1
    with house.queue.write() as tx:
        row = {"key": "key", "taken": time.time() - 99 * DAY}
        tx.execute(tables.taken_file.insert(), row)
    return dropped_file(house, relay)


def clock_set_back(house: House, relay: Scripted) -> Iterable[str]:
    """Found by whoever looks at clocks; by its id it might be found before."""
    house.constants["engine.daemon.fastclocks.BEFORE"] = 0
    return _of_tomorrow(house)


def clock_ahead(house: House, relay: Scripted) -> Iterable[str]:
    """Found by its id, since nobody looks at what waits for another time."""
    house.configure(MAILDROP_INTERVAL=0.1)
    house.constants["engine.daemon.clockwatch.STEP_SECONDS"] = math.inf
    house.constants["engine.daemon.fastclocks.AGAIN_SECONDS"] = 0.0
    return _of_tomorrow(house)


def _of_tomorrow(house: House) -> Iterable[str]:
    queued(house, mail("of-tomorrow"), ago=-DAY)
    return ["of-tomorrow"]


def room_to_spare(house: House, relay: Scripted) -> Iterable[str]:
    """Much was deleted; what is left is held, so that nothing is in flight."""
    for name, value in (("SPARE_PAGES", 0), ("SPARE_PART", 10**9)):
        house.constants[f"engine.queue.sqlite.housekeeping.{name}"] = value
    house.constants["engine.queue.sqlite.housekeeping.LARGE_WAL_BYTES"] = 0
    # Housekeeping waits for nobody: where a heartbeat was in the way, it tries again.
    house.constants["engine.daemon.housekeeping.PRUNE_SECONDS"] = 0.1
    (gone,) = queued(house, mail("gone", body="x" * 400_000))
    (kept,) = queued(house, mail("kept"))
    with house.queue.write() as tx:
        delete_messages(tx, [gone])
        hold_messages(tx, [kept])
    return ["kept"]


SCENES: dict[str, Scene] = {
    scene.__name__.replace("_", " "): scene
    for scene in (
        *(
            delivery,
            in_flight,
            many,
            two_recipients,
            deferral,
            refusal,
            expiry,
            delay,
            pace,
        ),
        *(relay_at_fault, probe_in_vain, login_wanted, relay_at_fault_for_long),
        *(
            another_has_died,
            another_has_vanished,
            history,
            old_batch,
            old_key,
            dropped_file,
            clock_set_back,
            clock_ahead,
            room_to_spare,
        ),
    )
}
SCENES |= {"unheard": delivery, "stopping": delivery}
