"""Every verdict is recorded, and makes of the message what it should."""

from __future__ import annotations

from dataclasses import replace

import pytest

from collective.maildrophost.engine.queue import (
    AS_SAID,
    QueueError,
    State,
    attempts,
    content,
    recover,
    retry_messages,
    settle,
    stats,
)
from collective.maildrophost.engine.verdict import Outcome

SENT, DEFERRED, FAILED = Outcome.SENT, Outcome.DEFERRED, Outcome.FAILED


@pytest.mark.parametrize(
    ("outcomes", "state"),
    [
        ((SENT, SENT), State.SENT),
        ((SENT, DEFERRED), State.DEFERRED),
        ((DEFERRED, DEFERRED), State.DEFERRED),
        ((FAILED, DEFERRED), State.DEFERRED),
        ((SENT, FAILED), State.FAILED),
        ((FAILED, FAILED), State.FAILED),
        ((SENT,), State.DEFERRED),  # the second one was not tried
    ],
)
def test_the_verdicts_of_all_recipients_decide_the_state(hands, outcomes, state):
    (id,) = hands.send(hands.mail("b@x.org", "c@x.org"))
    hands.settle(hands.claim()[0], *outcomes)
    record = hands.message(id)
    assert (record.state, record.attempts) == (state, 1)
    for recipient, outcome in zip(record.recipients, outcomes, strict=False):
        assert recipient.state.value == outcome.value
        assert recipient.attempts == 1


@pytest.mark.parametrize("last", [SENT, FAILED])
def test_the_attempts_before_the_last_one_count_too(hands, last):
    (id,) = hands.send()
    hands.settle(hands.claim()[0], DEFERRED, due=hands.now)
    hands.settle(hands.claim()[0], last)
    assert hands.message(id).attempts == 2


def test_a_message_whose_recipients_are_lost_has_failed(hands):
    lost, other = hands.send(hands.mail(), hands.mail())
    claims = hands.claim()
    with hands.queue.write() as tx:
        tx.exec_driver_sql(
            f"DELETE FROM maildrop_recipient WHERE message_id = {int(lost)}"
        )
    for each in claims:
        hands.settle(each, SENT)
    assert hands.message(lost).state is State.FAILED
    assert hands.message(other).state is State.SENT


@pytest.mark.parametrize(
    ("last", "kept"), [(SENT, False), (DEFERRED, True), (FAILED, True), (None, True)]
)
def test_the_body_stays_until_every_recipient_has_it(hands, last, kept):
    (id,) = hands.send(hands.mail("b@x.org", "c@x.org"))
    hands.settle(hands.claim()[0], SENT, last)
    assert (hands.do(content, id) is not None) is kept


def test_a_deferred_message_waits_until_it_is_due(hands):
    hands.send(hands.mail("b@x.org", "c@x.org"))
    hands.settle(hands.claim()[0], SENT, DEFERRED, due=hands.now + 60)
    assert hands.claim(now=hands.now + 59) == []
    (again,) = hands.claim(now=hands.now + 60)
    assert [each.address for each in again.recipients] == ["c@x.org"]
    assert [each.attempts for each in again.recipients] == [1]
    assert again.attempts == 1


def addresses(recipients):
    return [each.address for each in recipients]


def half_tried(hands):
    """A message of which "b" is deferred and "c" was not tried."""
    (id,) = hands.send(hands.mail("b@x.org", "c@x.org"))
    hands.settle(hands.claim()[0], DEFERRED, None, due=hands.now)
    return id


def test_who_was_not_tried_goes_on_without_those_who_were_deferred(hands):
    id = half_tried(hands)
    (rest,) = hands.claim()
    assert addresses(rest.recipients) == ["c@x.org"]
    (deferred,) = rest.deferred
    assert (deferred.address, deferred.attempts) == ("b@x.org", 1)
    assert deferred.reply == "450 4.2.0 later"
    hands.settle(rest, SENT, due=hands.now + 60)
    assert hands.message(id).state is State.DEFERRED
    assert hands.claim(now=hands.now + 59) == []
    (again,) = hands.claim(now=hands.now + 60)
    assert (addresses(again.recipients), again.deferred) == (["b@x.org"], ())
    hands.settle(again, SENT)
    assert hands.message(id).state is State.SENT


def test_a_failure_of_the_rest_leaves_the_deferred_their_attempts(hands):
    id = half_tried(hands)
    hands.settle(hands.claim()[0], FAILED, due=hands.now)
    assert hands.message(id).state is State.DEFERRED
    assert addresses(hands.claim()[0].recipients) == ["b@x.org"]


def test_who_was_not_tried_in_a_later_round_goes_first_as_well(hands):
    hands.send(hands.mail("b@x.org", "c@x.org", "d@x.org"))
    hands.settle(hands.claim()[0], DEFERRED, DEFERRED, DEFERRED, due=hands.now)
    hands.settle(hands.claim()[0], SENT, DEFERRED, None, due=hands.now)
    (rest,) = hands.claim()
    assert addresses(rest.recipients) == ["d@x.org"]
    assert addresses(rest.deferred) == ["c@x.org"]
    assert [each.attempts for each in rest.recipients] == [1]


def test_a_daemon_that_dies_on_the_rest_leaves_it_to_be_tried_first(hands):
    id = half_tried(hands)
    hands.claim("dies")
    hands.do(recover, "dies")
    (rest,) = hands.claim()
    assert addresses(rest.recipients) == ["c@x.org"]
    assert addresses(rest.deferred) == ["b@x.org"]
    assert hands.message(id).possible_duplicate


def test_a_retry_by_hand_tries_the_deferred_with_the_rest(hands):
    id = half_tried(hands)
    hands.do(retry_messages, [id], hands.now)
    (everybody,) = hands.claim()
    assert addresses(everybody.recipients) == ["b@x.org", "c@x.org"]
    assert everybody.deferred == ()


def test_a_daemon_that_lost_the_claim_does_not_decide_who_goes_first(hands):
    hands.send(hands.mail("b@x.org", "c@x.org"))
    hands.settle(hands.claim()[0], DEFERRED, DEFERRED, due=hands.now)
    (slow,) = hands.claim("slow")
    hands.do(recover, "slow")
    hands.settle(slow, DEFERRED, None)
    assert addresses(hands.claim()[0].recipients) == ["b@x.org", "c@x.org"]


def test_a_recipient_accepted_meanwhile_is_not_tried_with_the_rest(hands):
    hands.send(hands.mail("b@x.org", "c@x.org"))
    hands.settle(hands.claim()[0], DEFERRED, DEFERRED, due=hands.now)
    (slow,) = hands.claim("slow")
    hands.do(recover, "slow")
    (fast,) = hands.claim("fast")
    hands.settle(slow, None, SENT)
    hands.settle(fast, DEFERRED, None, due=hands.now)
    assert addresses(hands.claim()[0].recipients) == ["b@x.org"]


def test_attempts_are_kept_in_their_order(hands):
    (id,) = hands.send(hands.mail("b@x.org", "c@x.org"))
    hands.settle(hands.claim()[0], DEFERRED, SENT, due=hands.now)
    hands.settle(hands.claim()[0], FAILED)
    rows = [
        (each.number, each.address, each.outcome, each.reply)
        for each in hands.do(attempts, id)
    ]
    assert rows == [
        (1, "b@x.org", "deferred", "450 4.2.0 later"),
        (1, "c@x.org", "sent", "250 2.0.0 Ok"),
        (2, "b@x.org", "failed", "550 5.1.1 no"),
    ]


def test_a_lost_reply_marks_the_message(hands):
    (id,) = hands.send()
    hands.settle(hands.claim()[0], DEFERRED, duplicate=True)
    assert hands.message(id).possible_duplicate


@pytest.mark.parametrize("lost", [True, False])
def test_a_failure_marks_the_message_only_if_a_reply_was_lost(hands, lost):
    (id,) = hands.send()
    hands.settle(hands.claim()[0], FAILED, duplicate=lost)
    assert hands.message(id).state is State.FAILED
    hands.do(retry_messages, [id], hands.now)
    assert hands.claim()[0].possible_duplicate == lost


def test_to_settle_nothing_changes_nothing(hands):
    assert hands.do(settle, [], hands.now) == AS_SAID


def test_the_verdicts_of_each_hour_are_counted(hands):
    hands.send(hands.mail("b@x.org", "c@x.org", "d@x.org"))
    hands.settle(hands.claim()[0], SENT, FAILED, DEFERRED, due=hands.now + 3600)
    (again,) = hands.claim(now=hands.now + 3600)
    hands.settle(again, SENT, now=hands.now + 3600)
    hours = hands.do(stats, hands.now + 3600).hours
    assert [(each.sent, each.deferred, each.failed) for each in hours] == [
        (1, 1, 1),
        (1, 0, 0),
    ]
    assert hours[1].hour - hours[0].hour == 3600
    assert hours[0].hour <= hands.now < hours[1].hour
    a_day_later = hands.do(stats, hands.now + 24 * 3600).hours
    assert a_day_later == hours[1:]


def test_a_notification_is_queued_with_the_verdict_it_tells_of(hands):
    (id,) = hands.send()
    hands.settle(hands.claim()[0], FAILED, notifications=[hands.mail("a@x.org")])
    assert hands.message(id).state is State.FAILED
    (notification,) = hands.claim()
    assert [each.address for each in notification.recipients] == ["a@x.org"]
    assert hands.message(notification.id).origin == "notification"


def test_a_notification_that_cannot_be_stored_leaves_the_original_as_it_was(hands):
    (id,) = hands.send()
    (claimed,) = hands.claim()
    unstorable = replace(hands.mail("a@x.org"), subject=None)
    with pytest.raises(QueueError):
        hands.settle(claimed, FAILED, notifications=[unstorable])
    assert hands.message(id).state is State.SENDING
    assert hands.do(content, id) is not None


def test_a_daemon_that_lost_the_claim_notifies_nobody(hands):
    hands.send()
    (late,) = hands.claim("late")
    hands.do(recover, "late")
    hands.settle(late, FAILED, notifications=[hands.mail("a@x.org")])
    (again,) = hands.claim("other")
    assert again.id == late.id


def test_that_the_sender_was_warned_is_remembered(hands):
    hands.send()
    (claimed,) = hands.claim()
    assert not claimed.warned
    hands.settle(claimed, DEFERRED, due=hands.now, warned=True)
    (claimed,) = hands.claim()
    assert claimed.warned
    hands.settle(claimed, DEFERRED, due=hands.now)
    assert hands.claim()[0].warned
