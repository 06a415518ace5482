"""When the claims that a daemon knows of are compared with those in the queue."""

from __future__ import annotations

import pytest
from engine.handclock import HandClock

from collective.maildrophost.engine.delivery.handedout import (
    COMPARE_SECONDS,
    HandedOut,
)
from collective.maildrophost.engine.queue import MessageKey

ONE, OTHER = MessageKey(1, 10.0), MessageKey(2, 20.0)


@pytest.fixture
def clock() -> HandClock:
    return HandClock()


@pytest.fixture
def handed_out(clock) -> HandedOut:
    found = HandedOut(clock)
    found.add(ONE)
    found.add(OTHER)
    found.ended([OTHER])
    return found


def test_when_there_may_be_more_claims_they_are_compared_until_that_is_done(handed_out):
    assert handed_out.to_compare() is None
    handed_out.may_be_more()
    assert handed_out.to_compare() == (ONE,)
    assert handed_out.to_compare() == (ONE,)
    handed_out.compared()
    assert handed_out.to_compare() is None


def test_claims_are_compared_now_and_then_without_any_trouble(handed_out, clock):
    clock.now += COMPARE_SECONDS
    assert handed_out.to_compare() == (ONE,)
    handed_out.compared()
    clock.now += COMPARE_SECONDS - 1
    assert handed_out.to_compare() is None
