"""Verdicts that come late are fenced off; those that come twice count once."""

from __future__ import annotations

from dataclasses import replace

import pytest
from sqlalchemy import delete

from collective.maildrophost.engine.queue import (
    AS_SAID,
    Settled,
    State,
    attempts,
    delete_messages,
    give_back,
    queue_length,
    recover,
    retry_messages,
    settle,
    stats,
    tables,
)
from collective.maildrophost.engine.verdict import Outcome

SENT, DEFERRED, FAILED = Outcome.SENT, Outcome.DEFERRED, Outcome.FAILED


def lost_claim(hands, recipients=("b@x.org",)):
    """A claim of the daemon "slow", which "fast" took over."""
    (id,) = hands.send(hands.mail(*recipients))
    (slow,) = hands.claim("slow")
    hands.do(recover, "slow")
    return id, slow


def test_a_late_acceptance_is_recorded_although_another_has_the_claim(hands):
    id, slow = lost_claim(hands, ("b@x.org", "c@x.org"))
    (fast,) = hands.claim("fast")
    hands.settle(slow, SENT)
    record = hands.message(id)
    assert record.state is State.SENDING
    assert [each.state.value for each in record.recipients] == ["sent", "pending"]
    hands.settle(fast, SENT, SENT)
    assert hands.message(id).state is State.SENT


def test_the_attempts_of_late_and_living_daemons_have_numbers_of_their_own(hands):
    id, slow = lost_claim(hands)
    (fast,) = hands.claim("fast")
    hands.settle(slow, SENT)
    hands.settle(fast, DEFERRED)
    numbers = [each.number for each in hands.do(attempts, id)]
    assert numbers == [1, 2]


def test_a_late_acceptance_ends_a_message_that_nobody_has_claimed(hands):
    id, slow = lost_claim(hands)
    hands.settle(slow, SENT)
    assert hands.message(id).state is State.SENT
    assert hands.claim("fast") == []


def test_a_late_acceptance_ends_a_failed_message_that_somebody_retries(hands):
    """Nobody has the claim any more that it failed under."""
    id, slow = lost_claim(hands)
    hands.settle(hands.claim("fast")[0], FAILED)
    hands.do(retry_messages, [id], hands.now)
    hands.settle(slow, SENT)
    assert hands.message(id).state is State.SENT


@pytest.mark.parametrize("outcome", [FAILED, DEFERRED])
def test_a_late_failure_or_deferral_changes_nothing(hands, outcome):
    id, slow = lost_claim(hands)
    before = hands.message(id)
    hands.settle(slow, outcome)
    assert hands.message(id) == before
    hands.claim("fast")
    during = hands.message(id)
    hands.settle(slow, outcome)
    assert hands.message(id) == during
    assert hands.do(attempts, id) == []


def test_a_late_failure_does_not_touch_a_message_at_its_end(hands):
    id, slow = lost_claim(hands)
    hands.settle(hands.claim("fast")[0], FAILED)
    before = hands.message(id)
    hands.settle(slow, DEFERRED, now=hands.now + 5)
    assert hands.message(id) == before


def test_an_acceptance_stands_against_a_later_deferral(hands):
    id, slow = lost_claim(hands)
    (fast,) = hands.claim("fast")
    hands.settle(slow, SENT)
    hands.settle(fast, DEFERRED)
    record = hands.message(id)
    assert record.recipients[0].state.value == "sent"
    assert record.state is State.SENT


@pytest.mark.parametrize(("accepted", "told"), [(2, 0), (1, 1)])
def test_no_sender_is_told_that_failed_what_was_accepted_meanwhile(
    hands, accepted, told
):
    id, slow = lost_claim(hands, ("b@x.org", "c@x.org"))
    (fast,) = hands.claim("fast")
    hands.settle(slow, *[SENT] * accepted)
    letter = hands.mail(subject="bounce")
    hands.settle(fast, FAILED, FAILED, notifications=[letter])
    ended = State.SENT if accepted == 2 else State.FAILED
    assert hands.message(id).state is ended
    assert hands.do(queue_length) == told


def written_again(hands, settlement):
    """Its commit, which also claimed anew, was not heard of; so it is written again."""
    hands.do(settle, [settlement], hands.now)
    again = hands.claim()
    record = hands.message(settlement.id)
    hours = hands.do(stats, hands.now).hours
    hands.do(settle, [settlement], hands.now + 5)
    assert hands.message(settlement.id).recipients == record.recipients
    assert hands.do(stats, hands.now).hours == hours
    assert len(hands.do(attempts, str(settlement.id))) == len(settlement.verdicts)
    return again


@pytest.mark.parametrize("outcome", [SENT, FAILED, DEFERRED])
def test_verdicts_that_are_written_again_count_once(hands, outcome):
    (id,) = hands.send(hands.mail("b@x.org", "c@x.org"))
    (claimed,) = hands.claim()
    assert written_again(hands, hands.settlement(claimed, outcome, outcome)) == []
    assert hands.message(id).attempts == 1


def test_a_late_acceptance_that_is_written_again_counts_once(hands):
    id, slow = lost_claim(hands, ("b@x.org", "c@x.org"))
    settlement = hands.settlement(slow, SENT)
    (fast,) = written_again(hands, settlement)
    hands.settle(fast, SENT)
    assert hands.message(id).state is State.SENT


def test_a_message_claimed_again_unheard_goes_back_and_no_sender_is_told_twice(hands):
    (id,) = hands.send(hands.mail("b@x.org", "c@x.org"))
    (claimed,) = hands.claim()
    letter = hands.mail(subject="bounce", at=hands.now + 60)
    refused = hands.settlement(claimed, FAILED, due=hands.now, notifications=[letter])
    (unheard,) = written_again(hands, refused)
    assert [each.address for each in unheard.recipients] == ["c@x.org"]
    assert hands.message(id).state is State.DEFERRED
    assert [each.id for each in hands.claim()] == [claimed.id]
    assert hands.do(queue_length) == 2  # with one letter


def settled(hands, *settlements):
    return hands.do(settle, settlements, hands.now)


def test_settle_tells_which_claims_were_lost(hands):
    (id,) = hands.send(hands.mail(subject="in time"))
    in_time = hands.settlement(hands.claim()[0], SENT)
    late, slow = lost_claim(hands, ("b@x.org", "c@x.org"))
    hands.claim("fast")
    deleted, gone = lost_claim(hands)
    hands.do(delete_messages, [deleted])
    came_to = settled(
        hands,
        in_time,
        hands.settlement(slow, SENT, DEFERRED),
        hands.settlement(gone, FAILED),
    )
    assert came_to == Settled(late=frozenset([int(late), int(deleted)]))
    assert hands.message(id).state is State.SENT


@pytest.mark.parametrize("accepted", [1, 2])
def test_settle_tells_what_a_late_acceptance_contradicts(hands, accepted):
    id, slow = lost_claim(hands, ("b@x.org", "c@x.org"))
    (fast,) = hands.claim("fast")
    hands.settle(slow, *[SENT] * accepted)
    came_to = settled(hands, hands.settlement(fast, SENT, FAILED))
    expected = frozenset([int(id)]) if accepted == 2 else frozenset()
    assert came_to == Settled(accepted=expected)


def test_a_verdict_that_is_written_again_is_not_late(hands):
    hands.send()
    sent = hands.settlement(hands.claim()[0], SENT)
    assert settled(hands, sent) == settled(hands, sent) == AS_SAID


def without_verdicts(hands):
    """What settling the only claim, which has no recipients, came to; with its id."""
    (claimed,) = hands.claim("fast")
    assert claimed.recipients == ()
    return claimed.id, settled(hands, hands.settlement(claimed))


def test_a_message_whose_recipients_were_all_accepted_late_has_been_sent(hands):
    id, slow = lost_claim(hands)
    (fast,) = hands.claim("fast")
    hands.settle(slow, SENT)
    hands.do(give_back, "fast", [fast.key])
    assert without_verdicts(hands) == (int(id), AS_SAID)
    assert hands.message(id).state is State.SENT


def test_settle_tells_which_messages_have_lost_their_recipients(hands):
    (id,) = hands.send()
    hands.do(lambda tx: tx.execute(delete(tables.recipient)))
    lost = Settled(recipients_lost=frozenset([int(id)]))
    assert without_verdicts(hands) == (int(id), lost)
    assert hands.message(id).state is State.FAILED


def test_a_late_daemon_hears_only_that_its_claim_was_lost(hands):
    id, slow = lost_claim(hands)
    hands.do(lambda tx: tx.execute(delete(tables.recipient)))
    late = Settled(late=frozenset([int(id)]))
    assert settled(hands, hands.settlement(slow)) == late


def test_a_message_deleted_meanwhile_is_no_error(hands):
    id, slow = lost_claim(hands)
    hands.do(delete_messages, [id])
    hands.settle(slow, SENT)
    assert hands.message(id) is None


@pytest.mark.parametrize("outcome", [SENT, FAILED, DEFERRED])
@pytest.mark.parametrize("claimed_by", [None, "fast", "slow"])
def test_a_verdict_is_not_for_another_message_that_has_its_id_now(
    hands, outcome, claimed_by
):
    """As after a failover that has lost the last mail: ids are given once more."""
    hands.send()
    (slow,) = hands.claim("slow")
    hands.now += 5
    (id,) = hands.send(hands.mail(subject="other"))
    if claimed_by:
        hands.claim(claimed_by)
    before = hands.message(id)
    hands.settle(replace(slow, id=int(id)), outcome)
    assert hands.message(id) == before
    assert hands.do(attempts, id) == []
