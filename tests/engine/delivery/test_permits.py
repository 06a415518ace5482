"""How many may start now: the pace, and the health of the relay."""

from __future__ import annotations

import itertools
from dataclasses import replace

import pytest
from engine.delivery.permitting import permits
from hypothesis import given
from hypothesis import strategies as st

from collective.maildrophost.engine.delivery.pace import Pace
from collective.maildrophost.engine.delivery.relayhealth import (
    LONGEST_PAUSE_SECONDS,
    PausePolicy,
    RelayHealth,
)
from collective.maildrophost.engine.delivery.relaynotes import ProbeEnded
from collective.maildrophost.engine.queue import RelayPause

NOW = 1_800_000_000.0


def test_without_a_limit_any_number_may_start():
    assert Pace.of(0.0, 0).permits(NOW) is None
    assert Pace.of(0.0, 0).started(NOW).permits(NOW) is None


@given(st.floats(0, 100), st.integers(0, 10000), st.lists(st.floats(0, 5), max_size=50))
def test_two_mails_are_never_closer_than_the_pace(wait_interval, rate, steps):
    pace, now, starts = Pace.of(wait_interval, rate), NOW, []
    for step in steps:
        now += step
        permitted = pace.permits(now)
        if permitted:
            pace = pace.started(now)
            starts.append(now)
    least = max(wait_interval, 60 / rate if rate else 0.0)
    for before, after in itertools.pairwise(starts):
        assert after - before >= least - 1e-6


def test_a_clock_set_back_delays_no_mail_longer_than_the_pace():
    pace = Pace.of(10.0, 0).started(NOW)
    assert pace.permits(NOW + 9.9) == 0
    assert pace.permits(NOW + 10) == 1
    assert pace.permits(NOW - 3600) == 1


@given(st.floats(0.01, 100), st.floats(0.01, 10**9))
def test_who_is_told_to_wait_waits_at_most_for_the_pace(interval, seconds):
    pace = Pace.of(interval, 0).waits(NOW, seconds)
    assert pace.permits(NOW) == 0
    assert 0 < pace.remaining(NOW) <= interval + 1e-6
    assert pace.permits(NOW + interval + 1e-6) == 1


def test_pauses_double_up_to_the_longest():
    policy = PausePolicy(2.0, 300.0)
    assert [policy.seconds(n) for n in range(1, 10)] == [
        2, 4, 8, 16, 32, 64, 128, 256, 300,
    ]  # fmt: skip
    assert policy.seconds(10**9) == 300.0


def test_failures_of_many_connections_at_once_count_as_one():
    policy = PausePolicy()
    once = RelayHealth().failed("down", NOW, policy)
    assert once.failed("down", NOW + 0.1, policy) is once
    twice = once.failed("still down", NOW + 2.0, policy)
    assert (twice.failures, twice.since) == (2, NOW)
    assert twice.paused_until == NOW + 2.0 + 4.0


def test_a_paused_relay_is_tried_by_one_when_the_pause_is_over():
    paused = RelayHealth().failed("down", NOW, PausePolicy())
    assert RelayHealth().permits(3, NOW) is None
    assert paused.permits(0, NOW + 1.9) == 0
    assert paused.permits(0, NOW + 2.0) == 1
    assert paused.permits(1, NOW + 2.0) == 0


def test_a_clock_set_back_leaves_no_relay_paused_for_long():
    paused = RelayHealth().failed("down", NOW, PausePolicy())
    before = NOW - LONGEST_PAUSE_SECONDS - 10
    assert paused.permits(0, before) == 1
    # Its probe counts, and has a pause by the new time.
    again = paused.failed("still down", before, PausePolicy())
    assert (again.failures, again.since) == (2, before)
    assert again.paused_until == before + 4.0


def test_a_fault_never_began_in_the_future():
    paused = RelayHealth("down", NOW + 3600, 1).failed("down", NOW, PausePolicy())
    assert paused.since == NOW


def test_who_cannot_use_what_others_can_leaves_them_the_mail_for_longer_and_longer():
    policy, now, waits = PausePolicy(), NOW, []
    health = RelayHealth().failed("no route", now, policy)
    for _ in range(9):
        # The first time it is tried at once: the relay may be well for all by now.
        now = max(now, health.paused_until) if waits else now
        health = health.freed(now)
        assert health.good
        health = health.failed("no route", now, policy)
        waits.append(health.paused_until - now)
        assert health.freed(now + 0.1) is health
    assert waits == [2, 4, 8, 16, 32, 64, 128, 256, 300]


def test_a_fault_that_only_others_have_met_contradicts_nobody():
    pause = RelayPause("relay", "down", NOW, NOW + 2.0, 1)
    assert RelayHealth().heeds(pause).freed(NOW) == RelayHealth()
    here = RelayHealth().failed("down", NOW, PausePolicy())
    assert here.heeds(pause).freed(NOW).contradicted == 1


def test_a_probe_that_is_left_to_others_is_not_put_off_beyond_the_longest_pause():
    once = RelayHealth().failed("down", NOW, PausePolicy())
    assert once.waits_longer(NOW, 3.0).paused_until == NOW + 5.0
    long = replace(once, paused_until=NOW + LONGEST_PAUSE_SECONDS)
    assert long.waits_longer(NOW, 3.0) == long


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


@pytest.fixture
def probe():
    """A message that probes a relay, for which others wait until a minute later."""
    may_start = permits()
    may_start.health = RelayHealth().failed("down", NOW - 2.0, PausePolicy())
    may_start.started(NOW, 7, NOW + 60.0)
    return may_start


def test_a_probe_that_finds_nothing_out_is_told_to_those_who_wait(probe):
    assert probe.for_nothing([6], NOW + 1.0) == []
    in_vain = [ProbeEnded("relay:25", NOW + 60.0, NOW + 1.0)]
    assert probe.for_nothing([6, 7], NOW + 1.0) == in_vain
    probe.ended([7])
    assert probe.for_nothing([7], NOW + 1.0) == []


@pytest.mark.parametrize("found", ["works", "fails"])
def test_what_a_probe_has_found_is_told_by_the_finding(probe, found):
    fails = probe.health.failed("still down", NOW + 1.0, PausePolicy())
    probe.health = RelayHealth() if found == "works" else fails
    assert probe.for_nothing([7], NOW + 1.0) == []


def test_nobody_waits_for_a_probe_that_was_not_asked_for():
    may_start = permits()
    may_start.health = RelayHealth("down", NOW, 1)
    may_start.started(NOW, 7, may_start.terms.probe_ends(NOW))
    assert may_start.for_nothing([7], NOW + 1.0) == []
