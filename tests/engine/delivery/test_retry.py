"""How long a message waits for its next attempt, and how long it lives."""

from __future__ import annotations

import itertools

from hypothesis import given
from hypothesis import strategies as st

from collective.maildrophost.engine.delivery.retry import RetryPolicy
from collective.maildrophost.engine.message import Lane

NOW = 1_800_000_000.0
POLICY = RetryPolicy(60.0, 4000.0, 432000.0)
LONGEST_STRETCH = 1.5
"""Waits that could not be measured count without their jitter."""

chances = st.floats(0, 1, exclude_max=True)
lanes = st.sampled_from(Lane)


@given(st.integers(0, 10**9), lanes, chances)
def test_a_wait_is_never_shorter_or_longer_than_configured(attempts, lane, chance):
    assert 60.0 <= POLICY.wait(attempts, lane, chance) <= 4000.0


@given(lanes)
def test_waits_double_from_the_shortest_to_the_longest(lane):
    waits = [POLICY.wait(attempts, lane, 0.0) for attempts in range(1, 10)]
    assert waits == [60, 120, 240, 480, 960, 1920, 3840, 4000, 4000]


@given(st.integers(1, 6), lanes, chances)
def test_the_jitter_spreads_a_wait_over_a_part_of_it(attempts, lane, chance):
    part = {Lane.INTERACTIVE: 0.2, Lane.NORMAL: 0.2, Lane.BULK: 0.5}[lane]
    wait = POLICY.wait(attempts, lane, 0.0)
    assert POLICY.wait(attempts, lane, chance) == min(
        4000.0, wait * (1 + part * chance)
    )


def test_a_message_lives_exactly_as_long_as_configured():
    assert not POLICY.is_over(POLICY.age(NOW, NOW + 431999.9, 1))
    assert POLICY.is_over(POLICY.age(NOW, NOW + 432000.0, 1))


def test_a_clock_that_is_a_little_behind_makes_no_message_older():
    """As with two machines on one queue, after a retry by hand of an old message."""
    assert POLICY.age(NOW + 1.0, NOW, attempts=500) == 0.0


def test_mail_from_a_clock_that_was_not_set_yet_still_has_its_lifetime():
    """As of a machine without a battery, which begins in 1970."""
    queued = 30.0
    assert not POLICY.is_over(POLICY.age(queued, NOW, attempts=2))
    assert not POLICY.is_over(POLICY.age(queued, queued + 432000.0, attempts=2))
    assert POLICY.is_over(POLICY.age(queued, NOW, attempts=200))


@given(st.integers(1, 10**7), st.floats(4001, 1e10))
def test_after_a_clock_was_set_back_the_age_is_that_of_the_waits(attempts, ahead):
    age = POLICY.age(NOW + ahead, NOW, attempts)
    first = [
        POLICY.wait(number, Lane.NORMAL, 0.0) for number in range(1, min(attempts, 10))
    ]
    later = max(0, attempts - 1 - len(first)) * 4000.0
    assert age == sum(first) + later


@given(
    lane=lanes,
    policy=st.builds(
        RetryPolicy, st.floats(0.1, 60), st.floats(60, 4000), st.floats(1, 1e5)
    ),
    jumps=st.lists(
        st.one_of(st.just(0.0), st.floats(-1e9, 1e9)), min_size=1, max_size=8
    ),
    chance=chances,
)
def test_however_the_clock_jumps_mail_is_given_up_in_time(lane, policy, jumps, chance):
    """True time runs on; the clock that is read jumps after each of some attempts."""
    true, clock = 0.0, NOW
    since = clock
    for attempts in itertools.count(1):
        age = policy.age(since, clock, attempts)
        if policy.is_over(age):
            break
        wait = policy.wait(attempts, lane, chance)
        assert policy.shortest_wait <= wait <= policy.longest_wait
        assert true <= LONGEST_STRETCH * policy.lifetime + 2 * policy.longest_wait
        true += wait
        clock += wait + (jumps.pop() if jumps else 0.0)
