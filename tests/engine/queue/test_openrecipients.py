"""A message with very many recipients costs a claim no more than another one."""

from __future__ import annotations

from dataclasses import replace

import pytest

from collective.maildrophost.engine.queue import (
    State,
    openrecipients,
    retry_messages,
    settle,
)
from collective.maildrophost.engine.verdict import Outcome, Verdict

SENT, DEFERRED = Outcome.SENT, Outcome.DEFERRED
ADDRESSES = [f"r{number}@x.org" for number in range(8)]


@pytest.fixture(autouse=True)
def three_at_most(monkeypatch):
    monkeypatch.setattr(openrecipients, "MOST", 3)


def addresses(claimed):
    return [each.address for each in claimed.recipients]


def test_all_recipients_have_their_turn_some_at_a_time(hands):
    (id,) = hands.send(hands.mail(*ADDRESSES))
    for first, more in ((0, True), (3, True), (6, False)):
        (one,) = hands.claim()
        assert (addresses(one), one.more) == (ADDRESSES[first : first + 3], more)
        hands.settle(one, *[SENT] * len(one.recipients), due=hands.now)
    assert hands.message(id).state is State.SENT


def test_beside_a_message_with_many_others_keep_their_recipients(hands):
    hands.send(hands.mail("a@x.org", "b@x.org"), hands.mail(*ADDRESSES), hands.mail())
    assert [len(each.recipients) for each in hands.claim()] == [2, 3, 1]


@pytest.mark.parametrize("at_once", [2, 3])
def test_each_recipient_has_one_turn_in_each_round(hands, at_once):
    """Who is deferred waits until all the others were asked, however many they are."""
    (id,) = hands.send(hands.mail(*ADDRESSES))
    for asked in range(1, 3):
        for _ in range(0, len(ADDRESSES), at_once):
            (one,) = hands.claim()
            # The relay takes no more.
            hands.settle(one, *[DEFERRED] * at_once, due=hands.now)
        tries = [each.attempts for each in hands.message(id).recipients]
        assert tries == [asked] * len(ADDRESSES)
    (one,) = hands.claim()
    assert one.again


def test_a_claim_names_only_so_many_of_those_who_wait(hands):
    hands.send(hands.mail(*ADDRESSES))
    for _ in range(2):
        (one,) = hands.claim()
        hands.settle(one, *[DEFERRED] * 3, due=hands.now)
    (one,) = hands.claim()
    assert addresses(one) == ADDRESSES[6:]
    assert [each.address for each in one.deferred] == ADDRESSES[:3]


CUT_OFF = Verdict(DEFERRED, "421 4.7.0 too many errors")


@pytest.mark.parametrize("by_hand", [False, True])
def test_whose_turn_was_cut_off_goes_first_in_each_part_of_a_round(
    hands, by_hand, monkeypatch
):
    monkeypatch.setattr(openrecipients, "FEWEST_REFUSALS", 1)
    (id,) = hands.send(hands.mail(*ADDRESSES[:6]))
    for _ in range(3):
        (one,) = hands.claim()
        settlement = hands.settlement(one, DEFERRED, DEFERRED, due=hands.now)
        (refused, (position, _)) = settlement.verdicts
        with hands.queue.write() as tx:
            cut_off = replace(settlement, verdicts=(refused, (position, CUT_OFF)))
            settle(tx, [cut_off], hands.now)
    if by_hand:
        hands.do(retry_messages, [id], hands.now)
    parts = []
    for _ in range(3):
        (one,) = hands.claim()
        parts.append(addresses(one))
        hands.settle(one, *[SENT] * len(one.recipients), due=hands.now)
    assert parts == [["r1@x.org", "r3@x.org"], ["r5@x.org"], ADDRESSES[0:6:2]]


@pytest.mark.parametrize(("refusals", "together"), [(2, True), (3, False)])
def test_a_few_refusals_leave_all_recipients_together(
    hands, refusals, together, monkeypatch
):
    """So that one notification tells of all when the attempt is the last."""
    monkeypatch.undo()  # with room for all of them in one claim
    everybody = ADDRESSES[: refusals + 1]
    hands.send(hands.mail(*everybody))
    (one,) = hands.claim()
    settlement = hands.settlement(one, *[DEFERRED] * len(everybody), due=hands.now)
    *refused, (position, _) = settlement.verdicts
    with hands.queue.write() as tx:
        verdicts = (*refused, (position, CUT_OFF))
        settle(tx, [replace(settlement, verdicts=verdicts)], hands.now)
    (one,) = hands.claim()
    assert addresses(one) == (everybody if together else everybody[-1:])
