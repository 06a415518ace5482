"""How many may start now: the pace and the health together, and their probes."""

from __future__ import annotations

import pytest
from engine.delivery.permitting import permits

from collective.maildrophost.engine.delivery.pace import Pace
from collective.maildrophost.engine.delivery.relayhealth import (
    PausePolicy,
    RelayHealth,
)
from collective.maildrophost.engine.delivery.terms import Objection
from collective.maildrophost.engine.queue import RelayPause, end_probe

NOW = 1_800_000_000.0


def test_the_pace_and_the_health_both_limit():
    may_start = permits(Pace.of(1.0, 0))
    assert may_start.count(NOW, 0) == 1
    may_start.started(NOW, 1, None)
    assert may_start.count(NOW + 0.5, 0) == 0
    assert may_start.wait_seconds(NOW + 0.25, 0) == 0.75
    may_start.health = RelayHealth().failed("down", NOW, PausePolicy())
    assert may_start.count(NOW + 1.0, 0) == 0
    assert may_start.wait_seconds(NOW + 0.5, 0) == 1.5


@pytest.mark.parametrize("pace", [Pace.of(1.0, 0), Pace.of(0.0, 60)], ids=str)
def test_what_started_late_is_not_made_up_for_by_a_burst(pace):
    may_start = permits(pace)
    for late in 0.0, 2.5, 7.25:
        assert may_start.count(NOW + late, 0) == 1
        may_start.started(NOW + late, 1, None)
        assert may_start.count(NOW + late + 0.75, 0) == 0
        assert may_start.wait_seconds(NOW + late + 0.75, 0) == 0.25


@pytest.mark.parametrize(
    ("objection", "pause"),
    [
        (Objection(wait=0.25), 0.25),
        (Objection(pause=RelayPause("relay:25", "down", NOW, NOW + 5.0, 1)), 5.0),
    ],
    ids=["another was faster", "another has met a fault"],
)
def test_an_objection_of_another_daemon_is_waited_for(objection, pause):
    may_start = permits(Pace.of(1.0, 0))
    may_start.heed(objection, NOW)
    assert may_start.count(NOW, 0) == 0
    assert may_start.wait_seconds(NOW, 0) == pause
    assert may_start.count(NOW + pause, 0) == 1


def test_the_probe_of_a_fault_that_is_over_delays_no_probe_of_the_next():
    may_start = permits()
    fault = RelayHealth("down", NOW, 1, NOW)
    for health, count in (fault, 0), (RelayHealth(), None), (fault, 1):
        may_start.health = health
        if count == 0:
            may_start.started(NOW, 7, None)
        assert may_start.count(NOW, 1) == count


@pytest.fixture
def probe():
    """A message that probes a relay, for which others wait until a minute later."""
    may_start = permits()
    may_start.health = RelayHealth().failed("down", NOW - 2.0, PausePolicy())
    may_start.started(NOW, 7, NOW + 60.0)
    return may_start


def test_a_probe_that_finds_nothing_out_is_told_to_those_who_wait(probe):
    assert probe.probes_in_vain([6], NOW + 1.0) == []
    (in_vain,) = probe.probes_in_vain([6, 7], NOW + 1.0)
    assert in_vain.func is end_probe
    told = {"name": "relay:25", "until": NOW + 60.0, "now": NOW + 1.0}
    assert in_vain.keywords == told
    probe.ended([7])
    assert probe.probes_in_vain([7], NOW + 1.0) == []


@pytest.mark.parametrize("found", ["works", "fails"])
def test_what_a_probe_has_found_is_told_by_the_finding(probe, found):
    fails = probe.health.failed("still down", NOW + 1.0, PausePolicy())
    probe.health = RelayHealth() if found == "works" else fails
    assert probe.probes_in_vain([7], NOW + 1.0) == []


def test_nobody_waits_for_a_probe_that_was_not_asked_for():
    may_start = permits()
    may_start.health = RelayHealth("down", NOW, 1)
    may_start.started(NOW, 7, may_start.terms.probe_ends(NOW))
    assert may_start.probes_in_vain([7], NOW + 1.0) == []
