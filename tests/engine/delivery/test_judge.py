"""What becomes of each recipient after an attempt."""

from __future__ import annotations

from dataclasses import replace

import pytest

from collective.maildrophost.engine.delivery.judge import settlement
from collective.maildrophost.engine.delivery.notifications import NotificationPolicy
from collective.maildrophost.engine.delivery.retry import RetryPolicy
from collective.maildrophost.engine.message import Lane
from collective.maildrophost.engine.queue import OpenRecipient
from collective.maildrophost.engine.verdict import Outcome, Verdict

NOW = 1_800_000_000.0
POLICY = RetryPolicy(60.0, 4000.0, 432000.0)
QUIET = NotificationPolicy("host", False, 0.0, "")
SENT = Verdict(Outcome.SENT, "250 ok")
LATER = Verdict(Outcome.DEFERRED, "450 later")
REFUSED = Verdict(Outcome.FAILED, "550 no")


@pytest.fixture
def claim_of(claimed):
    """A claim whose recipients were tried as often as told."""

    def claim_of(*attempts):
        recipients = tuple(
            OpenRecipient(position, f"{position}@x.org", tries)
            for position, tries in enumerate(attempts)
        )
        return replace(claimed(), recipients=recipients)

    return claim_of


def judge(claim, *verdicts, now=NOW, policy=POLICY, notify=QUIET, **changed):
    told = {"possible_duplicate": False, "chance": 0.0, **changed}
    return settlement(
        claim, "relay:25", verdicts, policy=policy, notify=notify, now=now, **told
    )


def test_the_wait_grows_with_the_attempts_at_the_deferred(claim_of):
    assert judge(claim_of(0, 5), LATER, SENT).due == NOW + 60
    assert judge(claim_of(0, 2), LATER, LATER).due == NOW + 240


def test_a_deferred_newsletter_is_spread_wider_than_other_mail(claim_of):
    claim = claim_of(0)
    bulk = replace(claim, lane=Lane.BULK)
    assert judge(claim, LATER, chance=0.5).due == NOW + 66
    assert judge(bulk, LATER, chance=0.5).due == NOW + 75


def test_who_was_not_tried_is_due_at_once(claim_of):
    judged = judge(claim_of(0, 0), SENT, None)
    assert (judged.due, judged.verdicts) == (NOW, ((0, SENT),))


def test_who_was_not_tried_goes_before_those_who_were(claim_of):
    again = replace(claim_of(0, 3, 0), again=True)
    assert judge(again, LATER, None, None).others_first
    for said in LATER, SENT:
        assert judge(replace(again, more=True), said, said, said).others_first
    assert not judge(again, LATER, LATER, LATER).others_first
    # They are pending, and who is deferred has had a turn.
    assert not judge(claim_of(0, 3, 0), LATER, None, None).others_first


@pytest.mark.parametrize("verdict", [SENT, LATER])
def test_who_is_not_named_in_a_claim_is_due_at_once(claim_of, verdict):
    claim = replace(claim_of(0), more=True)
    assert judge(claim, verdict).due == NOW


def test_who_was_not_tried_keeps_its_place_before_later_mail(claim_of):
    claim = replace(claim_of(0, 0), due=NOW - 60)
    assert judge(claim, SENT, None).due == NOW - 60


@pytest.mark.parametrize("verdict", [SENT, LATER])
def test_who_was_deferred_before_the_rest_waits_by_its_own_attempts(claim_of, verdict):
    (before,) = claim_of(1).recipients
    claim = replace(claim_of(0), deferred=(before,), attempts=6)
    assert judge(claim, verdict).due == NOW + 60
    again = replace(claim, deferred=(replace(before, attempts=3),))
    assert judge(again, verdict).due == NOW + 240


def test_many_transactions_for_few_recipients_each_make_no_message_older(claim_of):
    # Of a message from the future nothing is known but how often it was tried.
    claim = replace(claim_of(0), attempts=500, since=NOW + 10**6)
    ((_, verdict),) = judge(claim, LATER).verdicts
    assert verdict is LATER


@pytest.mark.parametrize("tried_before", [113, 114])
def test_a_message_from_the_future_has_lived_as_long_as_its_waits(
    claim_of, tried_before
):
    claim = replace(claim_of(tried_before, 0), since=NOW + 10**6)
    waits = sum(POLICY.wait(each, Lane.NORMAL, 0.0) for each in range(1, 115))
    assert waits - 4000 < POLICY.lifetime < waits
    (_, tried), (_, other) = judge(claim, LATER, LATER).verdicts
    given_up = Outcome.FAILED if tried_before == 114 else Outcome.DEFERRED
    assert (tried.outcome, other.outcome) == (given_up, given_up)


def test_after_its_lifetime_a_deferral_is_a_failure_with_the_last_reply(claim_of):
    judged = judge(claim_of(9, 0), LATER, SENT, now=NOW + 432000)
    (_, failed), (_, sent) = judged.verdicts
    assert failed.outcome is Outcome.FAILED
    assert failed.reply == "given up after 5.0 days, at last: 450 later"
    assert sent is SENT


END = NOW + POLICY.lifetime
TELL = NotificationPolicy("host", True, 0.0, "")


@pytest.fixture
def last_round(claim_of):
    """What is written of one recipient, and the claim for the other, in one round."""

    def last_round(due):
        claim = replace(claim_of(9, 9), again=True, due=due)
        asked, other = claim.recipients
        first = judge(claim, LATER, None, now=END, notify=TELL)
        rest = replace(
            claim,
            recipients=(other,),
            deferred=(replace(asked, reply=LATER.reply),),
            again=False,
        )
        return first, rest

    return last_round


def test_after_its_lifetime_those_of_all_transactions_share_a_notification(last_round):
    first, rest = last_round(due=END)
    assert (first.verdicts, first.notifications) == (((0, LATER),), ())
    assert first.others_first
    last = judge(rest, LATER, now=END, notify=TELL)
    assert {each: verdict.reply for each, verdict in last.verdicts} == dict.fromkeys(
        (0, 1), "given up after 5.0 days, at last: 450 later"
    )
    (notification,) = last.notifications
    assert notification.content.count(b"Final-Recipient") == 2


def test_who_was_deferred_before_its_end_is_not_given_up_untried(last_round):
    """The relay may have been at fault since then, for days."""
    first, rest = last_round(due=END - 1)
    ((_, verdict),) = first.verdicts
    assert verdict.outcome is Outcome.FAILED
    ((place, verdict),) = judge(rest, LATER, now=END).verdicts
    assert (place, verdict.outcome) == (1, Outcome.FAILED)


def test_very_many_are_given_up_some_at_a_time(last_round, monkeypatch):
    monkeypatch.setattr("collective.maildrophost.engine.delivery.judge.MOST", 1)
    _, rest = last_round(due=END)
    judged = judge(replace(rest, more=True), LATER, now=END, notify=TELL)
    assert [verdict.outcome for _, verdict in judged.verdicts] == [Outcome.FAILED] * 2
    assert len(judged.notifications) == 1


def test_after_its_lifetime_a_refusal_is_told_as_it_was(claim_of):
    judged = judge(claim_of(9, 0), REFUSED, LATER, now=NOW + 432000)
    assert judged.verdicts[0] == (0, REFUSED)


def test_the_mark_of_a_possible_duplicate_goes_with_the_verdicts(claim_of):
    told = judge(claim_of(0), LATER, possible_duplicate=True)
    assert told.possible_duplicate
    assert not judge(claim_of(0), LATER).possible_duplicate


def test_only_who_was_warned_counts_as_warned(claim_of):
    notify = NotificationPolicy("host", True, 100.0, "")
    failed = judge(claim_of(0), REFUSED, notify=notify)
    assert (len(failed.notifications), failed.warned) == (1, False)
    late = judge(claim_of(0), LATER, notify=notify, now=NOW + 100)
    assert (len(late.notifications), late.warned) == (1, True)


@pytest.mark.parametrize(
    ("lifetime", "words"),
    [
        (86400, "1.0 days"),
        (86399, "24.0 hours"),
        (5400, "1.5 hours"),
        (600, "10.0 minutes"),
        (5, "5 seconds"),
    ],
)
def test_the_end_of_a_short_lifetime_is_told_in_hours_or_less(
    lifetime, words, claim_of
):
    policy = replace(POLICY, lifetime=lifetime)
    judged = judge(claim_of(3), LATER, now=NOW + lifetime, policy=policy)
    ((_, failed),) = judged.verdicts
    assert failed.reply == f"given up after {words}, at last: 450 later"
