"""Who waits for the others of his message has no turn while it waits for a relay."""

from __future__ import annotations

import pytest

from collective.maildrophost.engine.delivery.judge import settlement
from collective.maildrophost.engine.delivery.notifications import NotificationPolicy
from collective.maildrophost.engine.delivery.retry import RetryPolicy
from collective.maildrophost.engine.large import LARGE_OCTETS
from collective.maildrophost.engine.queue import (
    claim,
    give_back_last,
    put_off_large,
    recover,
    rounds,
    settle,
)
from collective.maildrophost.engine.verdict import Outcome, Verdict

POLICY = RetryPolicy(60.0, 4000.0, 432_000.0)
QUIET = NotificationPolicy("host", False, 0.0, "")
LATER = Verdict(Outcome.DEFERRED, "450 later")
RECIPIENTS = [f"r{number}@x.org" for number in range(3)]


@pytest.fixture
def mail(hands):
    """The message with a round of several transactions, after the first of them."""
    (id,) = hands.send(hands.mail(*RECIPIENTS))
    deferred(hands, id)
    return id


def claimed(hands, id):
    (one,) = hands.do(claim, "one", [int(id)], hands.now)
    return one


def deferred(hands, id):
    """One transaction, for the first of those who are left of the round."""
    one = claimed(hands, id)
    verdicts = (LATER, *[None] * (len(one.recipients) - 1))
    judged = settlement(one, "relay:25", verdicts, False, POLICY, QUIET, hands.now, 0.0)
    hands.do(settle, [judged], hands.now)


def met_a_fault(hands, id):
    """Its own commands did: other mail that has come meanwhile goes first."""
    one = claimed(hands, id)
    hands.send()
    hands.do(give_back_last, "one", [one.key], hands.now)
    assert str(hands.claim("two")[0].id) != id
    assert hands.message(id).due > hands.now
    hands.now += 1


def states(hands, id):
    return [each.state.value for each in hands.message(id).recipients]


def test_who_was_deferred_before_an_outage_is_not_given_up_untried(hands, mail):
    """However often it has interrupted the last round."""
    for given_up in range(2):
        hands.now += POLICY.lifetime
        met_a_fault(hands, mail)
        deferred(hands, mail)
        assert states(hands, mail) == [
            "deferred",
            *["failed"] * (given_up + 1),
            *["pending"] * (1 - given_up),
        ]
    hands.now = hands.message(mail).due
    assert [each.position for each in claimed(hands, mail).recipients] == [0]


def test_who_was_deferred_after_the_end_is_given_up_with_the_others(hands):
    (id,) = hands.send(hands.mail(*RECIPIENTS))
    hands.now += POLICY.lifetime
    met_a_fault(hands, id)
    deferred(hands, id)
    hands.now += 60
    met_a_fault(hands, id)
    deferred(hands, id)
    assert states(hands, id) == ["deferred", "deferred", "pending"]
    deferred(hands, id)
    assert states(hands, id) == ["failed"] * 3


def test_large_mail_that_is_put_off_keeps_the_time_of_its_round(hands):
    (id,) = hands.send(hands.mail(*RECIPIENTS, octets=LARGE_OCTETS))
    began = hands.now
    deferred(hands, id)
    for _ in range(2):
        claimed(hands, id)
        hands.do(put_off_large, "one", hands.now)
        hands.do(recover, "one")
    hands.now = hands.message(id).due
    assert hands.now > began
    assert claimed(hands, id).due == began


def test_an_earlier_round_tells_nothing(hands):
    (id,) = hands.send(hands.mail(*RECIPIENTS[:2]))
    for _ in RECIPIENTS[:2]:
        deferred(hands, id)
    hands.now = second = hands.message(id).due
    deferred(hands, id)
    hands.now += 60
    met_a_fault(hands, id)
    assert claimed(hands, id).due == second


def test_a_round_that_goes_on_has_not_all_attempts_read(hands, mail, monkeypatch):
    """There may be hundreds of thousands of them."""
    monkeypatch.setattr(rounds, "_LAST_TRIES", None)
    assert claimed(hands, mail).due == hands.now


def test_mail_whose_attempts_are_lost_is_claimed(hands, mail):
    hands.do(lambda tx: tx.exec_driver_sql("DELETE FROM maildrop_attempt"))
    assert claimed(hands, mail).due == hands.now
