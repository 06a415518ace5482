"""How fast mail may go out: never closer together, whatever the clock does."""

from __future__ import annotations

import itertools

from hypothesis import given
from hypothesis import strategies as st

from collective.maildrophost.engine.delivery.pace import Pace

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
    assert pace.remaining(NOW - 3600) == 0.0


@given(st.floats(0.01, 100), st.floats(0.01, 10**9))
def test_who_is_told_to_wait_waits_at_most_for_the_pace(interval, seconds):
    pace = Pace.of(interval, 0).waits(NOW, seconds)
    assert pace.permits(NOW) == 0
    assert 0 < pace.remaining(NOW) <= interval + 1e-6
    assert pace.permits(NOW + interval + 1e-6) == 1


def test_a_wait_that_is_shorter_than_the_pace_is_not_made_longer():
    assert Pace.of(1.0, 0).waits(NOW, 0.25).remaining(NOW) == 0.25
