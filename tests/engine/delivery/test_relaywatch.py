"""What one daemon finds of the relay, and what the others do with it."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest
from daemons import daemon_seen
from engine.delivery.machines import BEGAN, FAULT, RELAY
from waiting import until

from collective.maildrophost.engine.delivery import relaywatch as watching
from collective.maildrophost.engine.delivery.relaynotes import FaultEnded
from collective.maildrophost.engine.queue import (
    RelayPause,
    pause,
    register,
    wake,
)
from collective.maildrophost.engine.system.identity import own_identity


def test_the_next_probe_is_left_to_another_daemon(make_machine):
    machine = make_machine("relay:25")
    paused = machine.fails().paused
    assert machine.pause_seconds == 2.0 + watching.YIELD_SECONDS
    assert paused.paused_until == BEGAN + 2.0


@pytest.mark.parametrize("others", [(), ("another:25",)])
def test_the_next_probe_is_its_own_where_no_other_daemon_has_that_relay(
    make_machine, others
):
    machine = make_machine(*others)
    paused = machine.fails().paused
    assert machine.pause_seconds == 2.0
    assert paused.paused_until == BEGAN + 2.0


def test_a_daemon_does_not_leave_the_next_probe_to_itself(queue, make_machine):
    own = {"owner": "me", "process": own_identity(), "relay": str(RELAY)}
    with queue.write() as tx:
        register(tx, daemon_seen(BEGAN, **own, lease_until=BEGAN + 9000))
    machine = make_machine()
    machine.fails()
    assert machine.pause_seconds == 2.0


def test_a_fault_is_written_down_once_for_each_pause(make_machine):
    machine = make_machine()
    machine.fails()
    machine.watch.failed(FAULT)
    assert machine.ledger.notes == []


def test_the_end_of_a_fault_is_written_down_and_mail_goes_on_at_once(make_machine):
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


def test_a_daemon_whose_mail_got_through_since_a_fault_was_found_ends_it(make_machine):
    machine = make_machine("relay:25")
    machine.clock.now += 1
    machine.watch.works(RELAY)
    machine.watch.heed(FOUND, machine.clock.now)
    assert machine.permits.health.good
    (note,) = machine.ledger.notes
    assert isinstance(note, FaultEnded)
    # Not one that was found since.
    assert note.paused_until == FOUND.paused_until


def test_a_daemon_that_hears_of_a_fault_or_its_end_looks_at_its_mail(make_machine):
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


def test_a_fault_of_its_own_is_not_over_because_it_is_not_written_down_yet(
    make_machine,
):
    machine = make_machine("relay:25")
    machine.fails()
    machine.watch.heed(None, BEGAN)
    assert not machine.permits.health.good


def test_another_daemon_that_found_the_end_of_a_fault_counts_as_getting_through(
    make_machine,
):
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
def test_what_was_found_here_counts_as_newer_than_a_look_at_the_queue(
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
        await until(lambda: len(looks) >= 3, "three looks")
        following.cancel()

    monkeypatch.setattr(machine.watch, "_read", look)
    asyncio.run(follow())
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
