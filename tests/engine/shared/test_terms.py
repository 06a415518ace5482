"""What a daemon asks the others for before it claims: the right to probe, a turn."""

from __future__ import annotations

import time

import psycopg
import pytest

from collective.maildrophost.engine.delivery.books import Request, write
from collective.maildrophost.engine.delivery.inflight import InFlight
from collective.maildrophost.engine.delivery.terms import Objection, Terms, on_terms
from collective.maildrophost.engine.queue import (
    QueueError,
    RelayPause,
    claim,
    clear,
    end_probe,
    enqueue,
    give_back,
    may_probe,
    pause,
    pause_of,
    pauses,
    take_turn,
)


@pytest.fixture
def paused(queue):
    now = time.time()
    with queue.write() as tx:
        pause(tx, RelayPause("relay:25", "down", now - 50, now - 1, 3))
    return now


def probes(queue, now):
    with queue.write() as tx:
        return may_probe(tx, "relay:25", now, 60.0, 300.0)


def test_only_one_may_probe_when_a_pause_is_over(queue, paused):
    assert probes(queue, paused)
    assert not probes(queue, paused)
    with queue.read() as tx:
        held = pause_of(tx, "relay:25")
    assert (held.fault, held.failures) == ("down", 3)
    assert held.paused_until == paused + 60.0
    # The one that probed has died.
    assert probes(queue, paused + 60.0)


def test_after_a_probe_in_vain_the_next_one_waits_for_nothing(queue, paused):
    probes(queue, paused)
    with queue.write() as tx:
        end_probe(tx, "relay:25", paused + 60.0, paused + 1.0)
    assert probes(queue, paused + 1.0)
    with queue.read() as tx:
        (found,) = pauses(tx)
    assert (found.since, found.failures) == (paused - 50, 3)


def test_a_fault_found_since_outlasts_a_probe_in_vain(queue, paused):
    probes(queue, paused)
    with queue.write() as tx:
        pause(tx, RelayPause("relay:25", "down", paused, paused + 90.0, 4))
        end_probe(tx, "relay:25", paused + 60.0, paused + 1.0)
    assert not probes(queue, paused + 1.0)


def test_a_fault_found_since_is_not_forgotten(queue, paused):
    with queue.write() as tx:
        assert clear(tx, "relay:25", paused - 9) is None
        assert clear(tx, "relay:25", paused - 1).failures == 3


def test_a_daemon_that_would_probe_after_the_end_of_a_fault_hears_of_that_end(queue):
    assert asked(queue, BOTH, time.time()).good


def test_a_pause_that_a_wrong_clock_left_is_no_pause(queue, paused):
    with queue.write() as tx:
        pause(tx, RelayPause("relay:25", "down", paused, paused + 9e6, 4))
    assert probes(queue, paused)


def turn(queue, now, interval=2.0):
    with queue.write() as tx:
        return take_turn(tx, "relay:25", interval, now)


def test_one_turn_for_each_interval(queue):
    now = time.time()
    assert turn(queue, now) == 0.0
    assert turn(queue, now + 0.5) == pytest.approx(1.5)
    assert turn(queue, now + 2.0) == 0.0
    # Each has the interval of its own configuration.
    assert turn(queue, now + 3.0, interval=1.0) == 0.0


def test_a_turn_in_the_far_future_was_left_by_a_wrong_clock(queue):
    now = time.time()
    turn(queue, now + 1e6)
    assert turn(queue, now) == 0.0


def test_a_turn_is_given_back_when_its_transaction_is_rolled_back(queue):
    now = time.time()
    with pytest.raises(ZeroDivisionError), queue.write() as tx:
        assert 1 / take_turn(tx, "relay:25", 2.0, now)
    assert turn(queue, now) == 0.0


BOTH = Terms("relay:25", 60.0, probing=True)


def asked(queue, terms, now, *left):
    """What becomes of a claim of what others have `left`, on these terms."""

    def claimed(none_left):
        if not left:
            none_left()
        return left

    with queue.write() as tx:
        return on_terms(tx, terms, now, claimed)


def test_a_daemon_that_may_probe_but_has_no_turn_leaves_the_probe_to_others(
    queue, paused
):
    turn(queue, paused, interval=60.0)
    against = asked(queue, BOTH, paused + 1.0, 7)
    assert isinstance(against, Objection)
    assert against.wait > 0
    assert probes(queue, paused + 1.0)


def test_a_daemon_that_has_a_turn_but_may_not_probe_leaves_the_turn_to_others(
    queue, paused
):
    probes(queue, paused)
    against = asked(queue, BOTH, paused, 7)
    assert isinstance(against, Objection)
    assert against.pause is not None
    assert turn(queue, time.time(), interval=60.0) == 0.0


def test_a_daemon_that_may_probe_and_has_a_turn_keeps_both(queue, paused):
    assert asked(queue, BOTH, paused, 7) == (7,)
    assert not probes(queue, paused)
    assert turn(queue, time.time(), interval=60.0) > 0


def test_a_daemon_that_finds_no_mail_leaves_probe_and_turn_to_others(queue, paused):
    """Else all would wait a minute for a probe that nobody makes."""
    assert asked(queue, BOTH, paused) == ()
    assert probes(queue, paused)
    assert asked(queue, Terms("relay:25", 60.0), paused) == ()
    assert turn(queue, time.time(), interval=60.0) == 0.0


def test_the_error_that_broke_a_claim_is_raised_whatever_was_asked_before(
    queue, paused
):
    def breaks(none_left):
        tx.connection.driver_connection.close()
        raise psycopg.OperationalError("the server is being stopped")

    with pytest.raises(QueueError, match="is being stopped"), queue.write() as tx:
        on_terms(tx, BOTH, paused, breaks)
    assert probes(queue, paused)


@pytest.fixture
def probe(queue):
    """A daemon's try to claim the one mail that shows how the relay is."""

    def probe():
        now = time.time()
        request = Request(
            owner="me",
            known=None,
            settlements=[],
            untried=[],
            suspects=[],
            notes=(),
            now=now,
            wanted=1,
            due_before=now,
            round=1,
            failures=3,
            concurrency=10,
            in_flight=InFlight(),
            terms=Terms("relay:25", probing=True),
        )
        return write(queue, request)

    return probe


def test_a_mail_that_another_one_has_just_claimed_is_no_probe(
    queue, paused, probe, make_mail
):
    with queue.write() as tx:
        enqueue(tx, [make_mail()], paused - 5)
    with queue.write() as other:
        (first,) = claim(other, "of another relay", [1], time.time())
        answer = probe()
        assert (answer.claims, answer.objection) == ([], None)
        give_back(other, "of another relay", [first.key])
    assert [each.id for each in probe().claims] == [first.id]


def test_a_probe_does_not_change_since_when_a_relay_is_at_fault(queue, paused):
    probes(queue, paused)
    with queue.read() as tx:
        (found,) = pauses(tx)
    assert found.since == paused - 50
