"""A fault that one daemon alone meets, while other daemons' mail gets through."""

from __future__ import annotations

import pytest
from engine.delivery.machines import RELAY

from collective.maildrophost.engine.delivery.relaynotes import FaultBegan
from collective.maildrophost.engine.delivery.terms import Objection
from collective.maildrophost.engine.queue import RelayPause, retire, wake
from collective.maildrophost.engine.smtp import Phase, RelayFault


@pytest.fixture
def alone(make_machine):
    """A machine that has met a fault, while another one gets through."""
    machine = make_machine("relay:25")
    machine.fails()
    machine.is_contradicted()
    machine.others_send()
    return machine


def test_what_this_machine_alone_meets_pauses_no_other(alone):
    # Others are woken for the mail that it had taken.
    assert alone.fails() is wake
    assert alone.pause_seconds == 2.0


def test_a_machine_alone_with_a_fault_tries_one_mail_at_a_time(alone):
    now = alone.clock.now
    assert alone.permits.count(now, 0) == 1
    alone.permits.started(now, 7, None)
    assert alone.permits.count(now, 0) == 0
    alone.permits.ended([7])
    assert alone.permits.count(now, 0) == 1
    alone.watch.works(RELAY)
    assert alone.permits.count(now, 0) is None


@pytest.mark.parametrize("sender", ["another:25", "me"])
def test_what_others_sent_long_ago_or_elsewhere_leaves_nobody_alone(
    make_machine, sender
):
    machine = make_machine("relay:25", "another:25")
    machine.fails()
    machine.is_contradicted()
    machine.others_send(sender)
    assert isinstance(machine.fails(), FaultBegan)


def test_an_outage_that_follows_concerns_every_machine(alone):
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


def test_a_fault_is_reported_again_where_there_is_no_other_machine(make_machine):
    machine = make_machine()
    machine.fails()
    machine.is_contradicted()
    assert isinstance(machine.fails(), FaultBegan)


def test_a_machine_is_no_longer_alone_once_its_mail_gets_through(alone):
    alone.watch.works(RELAY)
    assert isinstance(alone.fails(), FaultBegan)


def test_the_last_machine_left_reports_its_fault_whoever_got_through_before(
    alone, queue
):
    with queue.write() as tx:
        retire(tx, "relay:25")
    alone.watch._hear_of_others(alone.watch._read(queue), alone.clock.now)
    assert isinstance(alone.fails(), FaultBegan)
