"""How long a relay at fault is left alone, and who tries it then."""

from __future__ import annotations

from dataclasses import replace

from collective.maildrophost.engine.delivery.relayhealth import (
    LONGEST_PAUSE_SECONDS,
    PausePolicy,
    RelayHealth,
)
from collective.maildrophost.engine.queue import RelayPause

NOW = 1_800_000_000.0


def test_pauses_double_up_to_the_longest():
    policy = PausePolicy(2.0, 300.0)
    assert [policy.seconds(n) for n in range(1, 10)] == [
        2, 4, 8, 16, 32, 64, 128, 256, 300,
    ]  # fmt: skip
    assert policy.seconds(10**9) == 300.0


def test_a_relay_is_never_left_alone_for_longer_than_a_message():
    assert PausePolicy.of(60.0, 4000.0) == PausePolicy()
    assert PausePolicy.of(0.5, 30.0) == PausePolicy(0.5, 30.0)


def test_failures_of_many_connections_at_once_count_as_one():
    policy = PausePolicy()
    once = RelayHealth().failed("down", NOW, policy)
    assert once.failed("down", NOW + 0.1, policy) is once
    twice = once.failed("still down", NOW + 2.0, policy)
    assert (twice.failures, twice.since) == (2, NOW)
    assert twice.paused_until == NOW + 2.0 + 4.0


def test_a_paused_relay_is_tried_with_one_message_when_the_pause_is_over():
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


def test_a_daemon_alone_with_a_fault_leaves_others_the_mail_for_longer_and_longer():
    policy, now, waits = PausePolicy(), NOW, []
    health = RelayHealth().failed("no route", now, policy)
    for _ in range(9):
        # At first it is tried at once: the relay may be well for all by now.
        now = max(now, health.paused_until) if waits else now
        health = health.freed(now)
        assert health.good
        health = health.failed("no route", now, policy)
        waits.append(health.paused_until - now)
        assert health.freed(now + 0.1) is health
    assert waits == [2, 4, 8, 16, 32, 64, 128, 256, 300]


def test_a_fault_that_only_others_have_met_contradicts_nobody():
    pause = RelayPause("relay", "down", NOW, NOW + 2.0, 1)
    assert RelayHealth().heeds(pause) == RelayHealth("down", NOW, 1, NOW + 2.0)
    for before in RelayHealth(), RelayHealth(contradicted=2):
        assert before.heeds(pause).freed(NOW) == before
    here = RelayHealth().failed("down", NOW, PausePolicy())
    assert here.heeds(pause).freed(NOW).contradicted == 1


def test_a_probe_that_is_left_to_others_is_not_put_off_beyond_the_longest_pause():
    once = RelayHealth().failed("down", NOW, PausePolicy())
    assert once.waits_longer(NOW, 3.0).paused_until == NOW + 5.0
    long = replace(once, paused_until=NOW + LONGEST_PAUSE_SECONDS)
    assert long.waits_longer(NOW, 3.0) == long
