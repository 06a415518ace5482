"""The fault of a relay, as the daemons tell each other of it."""

from __future__ import annotations

from collective.maildrophost.engine.queue import (
    RelayPause,
    clear,
    mark_told,
    pause,
    pauses,
)


def test_a_fault_that_goes_on_began_when_it_was_first_met(hands):
    def refused(since, failures):
        since += hands.now
        return RelayPause("relay:25", "connection refused", since, since + 5, failures)

    hands.do(pause, refused(0.0, 1))
    hands.do(pause, refused(100.0, 2))
    (found,) = hands.do(pauses)
    assert (found.since, found.failures) == (hands.now, 2)
    assert hands.do(clear, "relay:25") == found
    assert hands.do(clear, "relay:25") is None


def test_the_longer_pause_of_two_stands(hands):
    def paused(failures, until):
        return RelayPause("relay:25", "down", hands.now, hands.now + until, failures)

    hands.do(pause, paused(5, 32.0))
    hands.do(pause, paused(1, 2.0))
    (found,) = hands.do(pauses)
    assert (found.failures, found.paused_until) == (5, hands.now + 32.0)
    hands.do(pause, paused(6, 64.0))
    (found,) = hands.do(pauses)
    assert (found.failures, found.paused_until) == (6, hands.now + 64.0)


def test_the_postmaster_is_told_of_a_fault_once(hands):
    fault = RelayPause("relay:25", "refused", hands.now, hands.now + 2, 1)
    hands.do(pause, fault)
    assert hands.do(mark_told, "relay:25")
    assert not hands.do(mark_told, "relay:25")
    hands.do(pause, fault)
    assert not hands.do(mark_told, "relay:25")
    assert hands.do(clear, "relay:25").told
    assert hands.do(clear, "relay:25") is None
