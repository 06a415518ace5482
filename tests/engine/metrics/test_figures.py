"""Watching costs little: messages are counted rarely, all else is of the moment."""

from __future__ import annotations

import subprocess

import pytest
from daemons import daemon_seen
from engine.handclock import HandClock

from collective.maildrophost.engine.message import Lane, compose
from collective.maildrophost.engine.metrics import figures as module
from collective.maildrophost.engine.metrics.figures import COUNT_SECONDS, Reader
from collective.maildrophost.engine.metrics.gauges import gauges
from collective.maildrophost.engine.queue import (
    Reason,
    State,
    delete_messages,
    enqueue,
    hold_messages,
    new_batch,
    prepare,
    register,
)
from collective.maildrophost.engine.queue.batches import IN_DOUBT_SECONDS
from collective.maildrophost.engine.queue.stats import depth
from collective.maildrophost.engine.system.identity import process_identity

NOW = 1_800_000_000.0


@pytest.fixture
def clock() -> HandClock:
    return HandClock()


@pytest.fixture
def reader(queue, clock) -> Reader:
    return Reader(queue, clock)


def send(queue, lane=None, at=NOW) -> str:
    message = compose("Subject: x\n\n", "a@x.org", ["b@x.org"], lane=lane, now=at)
    with queue.write() as tx:
        return enqueue(tx, [message], at)[0]


def test_messages_are_counted_by_state_and_lane(queue, reader):
    send(queue)
    send(queue, Lane.BULK)
    held = send(queue, Lane.BULK)
    with queue.write() as tx:
        hold_messages(tx, [held])
    assert reader.look(NOW).depth == {
        (State.QUEUED, Lane.NORMAL): 1,
        (State.QUEUED, Lane.BULK): 1,
        (State.HELD, Lane.BULK): 1,
    }


def test_the_count_is_kept_for_some_seconds(queue, reader, clock):
    send(queue)
    reader.look(NOW)
    send(queue)
    clock.now += COUNT_SECONDS - 1
    assert sum(reader.look(NOW).depth.values()) == 1
    clock.now += 2
    assert sum(reader.look(NOW).depth.values()) == 2


def test_a_count_that_takes_long_is_made_rarely(queue, reader, clock, monkeypatch):
    def slow(tx):
        clock.now += 2.0
        return depth(tx)

    monkeypatch.setattr(module, "depth", slow)
    send(queue)
    reader.look(NOW)
    send(queue)
    clock.now += 190.0
    assert sum(reader.look(NOW).depth.values()) == 1
    clock.now += 20.0
    assert sum(reader.look(NOW).depth.values()) == 2


def test_the_age_of_the_oldest_due_is_that_of_the_moment(queue, reader):
    assert reader.look(NOW).vitals.oldest_due_seconds == 0
    send(queue, at=NOW - 60)
    assert reader.look(NOW).vitals.oldest_due_seconds == 60
    assert reader.look(NOW + 5).vitals.oldest_due_seconds == 65


def test_daemons_are_those_of_the_moment(queue, reader):
    assert not reader.look(NOW).health.moving
    with queue.write() as tx:
        register(tx, daemon_seen(NOW))
    assert reader.look(NOW).health.moving
    assert not reader.look(NOW + 61).health.moving


def test_a_killed_daemon_is_seen_to_be_gone_though_its_lease_runs(queue, reader):
    with subprocess.Popen(["sleep", "60"]) as process:
        identity = process_identity(process.pid)
        process.kill()
    with queue.write() as tx:
        register(tx, daemon_seen(NOW, process=identity))
    found = reader.look(NOW)
    assert found.vitals.daemons == ()
    assert found.health.reason is Reason.NO_DAEMON
    assert found.health.since == NOW


def test_health_tells_how_much_waits(queue, reader):
    (*_, held) = [send(queue, lane) for lane in (None, Lane.BULK, Lane.BULK)]
    with queue.write() as tx:
        hold_messages(tx, [held])
    assert reader.look(NOW).health.waiting == 2


def values(reader, now=NOW) -> dict[str, float]:
    """The gauges without labels, by name."""
    told = gauges(reader.look(now), in_flight=0)
    return {each.name: each.values[()] for each in told if () in each.values}


def test_mail_in_doubt_is_told(queue, reader):
    message = compose("Subject: x\n\n", "a@x.org", ["b@x.org"], now=NOW)
    with queue.write() as tx:
        prepare(tx, new_batch(), [message], NOW)
    later = NOW + IN_DOUBT_SECONDS + 1
    assert values(reader, later)["in_doubt"] == 1
    assert reader.look(later).health.in_doubt == 1


def test_the_size_of_the_files_is_told(queue, reader):
    many = [send(queue) for _ in range(200)]
    with queue.write() as tx:
        delete_messages(tx, many)
    wal = queue.path.with_name(f"{queue.path.name}-wal")
    assert values(reader)["wal_bytes"] == wal.stat().st_size > 0
    told = values(reader)
    queue.close()  # which puts everything into the one file
    assert told["queue_bytes"] == queue.path.stat().st_size
    assert 0 < told["queue_free_bytes"] < told["queue_bytes"]
    assert told["queue_free_bytes"] % 4096 == 0
