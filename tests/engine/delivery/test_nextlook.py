"""When the queue is looked at again."""

from __future__ import annotations

import pytest

from collective.maildrophost.engine.delivery.nextlook import NextLook

NOW = 1_800_000_000.0


@pytest.fixture
def look():
    """At most ten seconds away."""
    return NextLook(10.0)


def test_a_look_is_made_at_its_time(look):
    look.at(NOW + 5.0, look.news)
    assert look.is_early(NOW)
    assert look.seconds(NOW) == 5.0
    assert not look.is_early(NOW + 5.0)


def test_what_comes_while_the_queue_is_read_is_looked_for_at_once(look):
    before = look.news
    look.at_once()
    look.at(NOW + 5.0, before)
    assert not look.is_early(NOW)


def test_no_look_stays_far_away_when_the_clock_is_set_back(look):
    look.at(NOW + 5.0, look.news)
    assert look.is_early(NOW - 5.0)
    assert not look.is_early(NOW - 5.1)
