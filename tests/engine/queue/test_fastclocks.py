"""Mail that a process queued whose clock is ahead does not wait for that time."""

from __future__ import annotations

import pytest

from collective.maildrophost.engine.queue import (
    State,
    fastclocks,
    hold_messages,
    prepare,
    pull_back_new,
    release_messages,
    retire,
)
from collective.maildrophost.engine.queue.fastclocks import FromAhead
from collective.maildrophost.engine.queue.setback import TOLERANCE_SECONDS
from collective.maildrophost.engine.verdict import Outcome

HOUR = 3600.0
NOTHING = FromAhead(0, 0.0)


@pytest.fixture
def sender(hands):
    """Hands whose clock is an hour ahead."""
    return type(hands)(hands.queue, hands.now + HOUR)


@pytest.fixture
def look(hands, queue, monkeypatch):
    """What a daemon with the right clock finds among the new messages."""
    monkeypatch.setattr(fastclocks, "moment", lambda tx, now: now)

    def go(after="0", up_to="1000") -> FromAhead:
        return pull_back_new(queue, hands.now, int(after), int(up_to))

    return go


def test_mail_of_a_fast_clock_is_due_at_once_and_its_lifetime_begins(
    hands, sender, look
):
    (id,) = sender.send()
    assert hands.claim() == []
    assert look() == FromAhead(1, HOUR)
    assert hands.message(id).due == hands.now
    (claimed,) = hands.claim()
    assert claimed.since == hands.now
    assert claimed.created == sender.now


def test_a_daemon_that_is_itself_behind_makes_no_mail_old(hands, sender, monkeypatch):
    (id,) = sender.send()
    monkeypatch.setattr(fastclocks, "moment", lambda tx, now: sender.now)
    found = pull_back_new(hands.queue, hands.now, 0, 1000)
    assert found == FromAhead(1, HOUR)
    assert hands.message(id).due == hands.now
    assert hands.claim()[0].since == sender.now


def test_mail_of_a_right_clock_is_left_alone(hands, sender, look):
    ids = hands.send(hands.mail(), hands.mail(subject="later", at=hands.now + HOUR))
    found = [hands.message(id) for id in ids]
    (fast,) = sender.send()
    (last,) = hands.send(hands.mail(subject="last"))
    assert look().messages == 1
    assert [hands.message(id) for id in ids] == found
    assert {hands.message(fast).due, hands.message(last).due} == {hands.now}


@pytest.mark.parametrize("ahead", [-2 * HOUR, -HOUR / 2, 0.5, HOUR])
def test_mail_for_a_certain_time_keeps_it(hands, sender, look, ahead):
    """Even for a time that was over for its sender."""
    (id,) = sender.send(sender.mail(at=sender.now + ahead))
    assert look().messages == 0
    assert hands.message(id).due == sender.now + ahead


def test_a_little_ahead_is_not_ahead(hands, sender, look):
    sender.now = hands.now + TOLERANCE_SECONDS
    sender.send()
    assert look() == NOTHING


def test_mail_that_was_tried_keeps_the_time_of_its_retry(hands, sender, look):
    (id,) = sender.send()
    sender.settle(sender.claim()[0], Outcome.DEFERRED, due=sender.now + 60)
    assert look().messages == 0
    assert hands.message(id).due == sender.now + 60


def test_a_retry_that_lies_before_its_creation_keeps_its_time(hands, sender, look):
    """Of a daemon whose clock is between the two."""
    (id,) = sender.send()
    between = type(hands)(hands.queue, hands.now + HOUR / 2)
    assert pull_back_new(hands.queue, between.now, 0, 1000).messages == 1
    between.settle(between.claim()[0], Outcome.DEFERRED, due=between.now + 60)
    assert look().messages == 0
    assert hands.message(id).due == between.now + 60


def test_what_has_ended_keeps_the_time_of_its_end(hands, sender, look):
    (id,) = sender.send()
    sender.settle(sender.claim()[0], Outcome.SENT)
    found = hands.message(id)
    assert look().messages == 0
    assert hands.message(id) == found


def test_what_is_held_or_prepared_stays_so_and_then_goes_at_once(hands, sender, look):
    (held,) = sender.send()
    hands.do(hold_messages, [held])
    (prepared,) = hands.do(prepare, "batch", [hands.mail(subject="other")], sender.now)
    assert look().messages == 2
    assert hands.message(held).state is State.HELD
    assert hands.message(prepared).state is State.PREPARED
    hands.do(release_messages, [held, prepared])
    assert len(hands.claim()) == 2


def test_mail_in_flight_is_pulled_back_in_case_it_comes_back(hands, sender, look):
    sender.register("fast")
    (id,) = sender.send()
    sender.claim("fast")
    assert look().messages == 1
    assert hands.message(id).state is State.SENDING
    hands.do(retire, "fast")
    assert len(hands.claim()) == 1


def test_daemons_whose_clocks_differ_agree_on_the_earliest(hands, sender, queue):
    (id,) = sender.send()
    clocks = [hands.now, hands.now - 60, hands.now, hands.now - 60]
    looks = [pull_back_new(queue, now, 0, 1000).messages for now in clocks]
    assert looks == [1, 1, 0, 0]
    assert hands.message(id).due == hands.now - 60


def test_daemons_that_are_behind_the_server_agree_on_the_earliest_too(
    hands, sender, queue, monkeypatch
):
    """What the first of them has made due is not taken for mail for a certain time."""
    (id,) = sender.send()
    monkeypatch.setattr(fastclocks, "moment", lambda tx, now: sender.now)
    clocks = [hands.now, hands.now - HOUR, hands.now]
    looks = [pull_back_new(queue, now, 0, 1000).messages for now in clocks]
    assert looks == [1, 1, 0]
    assert hands.message(id).due == hands.now - HOUR
    assert hands.claim()[0].since == sender.now


def test_only_new_messages_are_looked_at(hands, sender, look):
    first, second, third = (sender.send()[0] for _ in range(3))
    assert look(after=first, up_to=second).messages == 1
    due = [hands.message(id).due for id in (first, second, third)]
    assert due == [sender.now, hands.now, sender.now]


@pytest.mark.parametrize("portion", [2, 10_000])
def test_many_are_pulled_back_in_parts(hands, sender, look, monkeypatch, portion):
    monkeypatch.setattr(fastclocks, "AT_ONCE", 2)
    monkeypatch.setattr(fastclocks, "LOOKED_AT_ONCE", portion)
    sender.send(*[hands.mail(subject=str(n)) for n in range(7)])
    assert look() == FromAhead(7, HOUR)
    assert len(hands.claim()) == 7
