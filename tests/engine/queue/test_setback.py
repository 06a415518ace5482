"""After the clock was set back mail waits no longer than it ever should."""

from __future__ import annotations

import pytest

from collective.maildrophost.engine.queue import (
    State,
    hold_messages,
    prepare,
    pull_back,
    release_messages,
    retire,
    retry_messages,
    setback,
)
from collective.maildrophost.engine.verdict import Outcome

DAYS = 86400.0 * 3
LONGEST = 4000.0


@pytest.fixture
def set_back(hands, queue):
    """Set the clock back by three days; the number of messages that it concerned."""

    def go() -> int:
        hands.now -= DAYS
        return pull_back(queue, hands.now, LONGEST)

    return go


def test_mail_for_no_time_of_its_own_is_due(hands, set_back):
    ids = hands.send(hands.mail(), hands.mail(subject="other"))
    assert set_back() == 2
    assert {hands.message(id).due for id in ids} == {hands.now}
    assert len(hands.claim()) == 2


@pytest.mark.parametrize("in_time", [0.0, 7200.0])
def test_mail_for_a_certain_time_keeps_it(hands, set_back, in_time):
    at = hands.now + 1 + in_time
    (id,) = hands.send(hands.mail(at=at))
    assert set_back() == 0
    assert hands.message(id).due == at


def test_a_time_that_was_over_by_the_old_clock_may_still_come(hands, set_back):
    at = hands.now - DAYS / 2
    (id,) = hands.send(hands.mail(at=at))
    assert set_back() == 0
    assert hands.message(id).due == at


def test_a_retry_is_due(hands, set_back):
    (id,) = hands.send()
    hands.settle(hands.claim()[0], Outcome.DEFERRED, due=hands.now + LONGEST)
    assert set_back() == 1
    assert hands.message(id).due == hands.now


def test_a_retry_that_lies_within_the_policy_keeps_its_time(hands, queue):
    (id,) = hands.send()
    hands.settle(hands.claim()[0], Outcome.DEFERRED, due=hands.now + LONGEST)
    assert pull_back(queue, hands.now, LONGEST) == 0
    assert hands.message(id).due == hands.now + LONGEST


def test_what_is_queued_meanwhile_is_not_from_the_future(hands, queue):
    """The clock was read, then somebody committed, then the queue was searched."""
    hands.now += 0.5
    (sent, tried) = hands.send(hands.mail(), hands.mail(subject="other"))
    hands.settle(hands.claim()[1], Outcome.DEFERRED, due=hands.now + LONGEST)
    found = [hands.message(id) for id in (sent, tried)]
    assert pull_back(queue, hands.now - 0.5, LONGEST) == 0
    assert [hands.message(id) for id in (sent, tried)] == found


def test_a_retry_by_hand_is_due(hands, set_back):
    (id,) = hands.send()
    hands.settle(hands.claim()[0], Outcome.FAILED)
    hands.do(retry_messages, [id], hands.now)
    assert set_back() == 1
    assert len(hands.claim()) == 1


def test_a_lifetime_begins_now_at_the_latest(hands, set_back):
    hands.send()
    assert set_back() == 1
    assert hands.claim()[0].since == hands.now


def test_what_is_held_or_prepared_stays_so_and_then_goes_at_once(hands, set_back):
    (held,) = hands.send()
    hands.do(hold_messages, [held])
    (prepared,) = hands.do(prepare, "batch", [hands.mail(subject="other")], hands.now)
    assert set_back() == 2
    assert hands.message(held).state is State.HELD
    assert hands.message(prepared).state is State.PREPARED
    hands.do(release_messages, [held, prepared])
    assert len(hands.claim()) == 2


def test_what_is_in_flight_may_come_back(hands, set_back):
    hands.register("one")
    (id,) = hands.send()
    hands.claim("one")
    assert set_back() == 1
    assert hands.message(id).state is State.SENDING
    hands.do(retire, "one")
    assert len(hands.claim()) == 1


def test_what_has_ended_keeps_the_time_of_its_end(hands, set_back):
    (id,) = hands.send()
    hands.settle(hands.claim()[0], Outcome.SENT)
    ended = hands.message(id).due
    assert set_back() == 0
    assert hands.message(id).due == ended


def test_a_long_queue_is_pulled_back_in_parts(hands, set_back, monkeypatch):
    monkeypatch.setattr(setback, "AT_ONCE", 2)
    hands.send(*[hands.mail(subject=str(n)) for n in range(5)])
    assert set_back() == 5
    assert len(hands.claim()) == 5
