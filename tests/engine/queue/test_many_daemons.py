"""Several daemons on one PostgreSQL: nobody waits for another, nobody is overlooked."""

from __future__ import annotations

import pytest

from collective.maildrophost.engine.message import Lane
from collective.maildrophost.engine.queue import (
    claim,
    due,
    enqueue,
    settle,
)
from collective.maildrophost.engine.verdict import Outcome


@pytest.fixture
def url(postgresql_url):
    return postgresql_url


def looked(tx, hands, wanted=100):
    waiting = due(tx, wanted, hands.now).lanes
    return [key for lane in Lane for key in waiting[lane]]


def test_two_claim_at_the_same_moment_without_waiting(hands, queue):
    hands.send(*[hands.mail() for _ in range(4)])
    with queue.write() as one, queue.write() as two:
        first = claim(one, "one", looked(one, hands)[:2], hands.now)
        second = claim(two, "two", looked(two, hands)[:2], hands.now)
    assert len(first) == len(second) == 2
    assert not {each.id for each in first} & {each.id for each in second}


def test_the_slower_daemon_takes_others_of_the_same_lane(hands, queue):
    mails = [hands.mail(lane=lane) for lane in (Lane.INTERACTIVE, Lane.BULK)]
    hands.send(*mails, *mails)
    with queue.write() as one, queue.write() as two:
        seen = looked(two, hands, 1)
        first = claim(one, "one", looked(one, hands, 1), hands.now)
        second = claim(two, "two", seen, hands.now)
    lanes = [Lane.INTERACTIVE, Lane.BULK]
    assert [each.lane for each in first] == [each.lane for each in second] == lanes
    assert not {each.id for each in first} & {each.id for each in second}


def test_what_was_looked_at_and_not_taken_is_free_for_the_other(hands, queue):
    ids = hands.send(*[hands.mail(lane=lane) for lane in Lane for _ in range(3)])
    with queue.write() as one, queue.write() as two:
        seen = looked(one, hands)
        assert len(claim(one, "one", seen[:1], hands.now)) == 1
        rest = claim(two, "two", looked(two, hands), hands.now)
    assert {str(each.id) for each in rest} == set(ids[1:])


def test_what_was_claimed_between_look_and_claim_is_not_claimed_again(hands, queue):
    hands.send()
    with queue.write() as slow:
        seen = looked(slow, hands)
        assert len(hands.claim("quick")) == 1
        assert claim(slow, "slow", seen, hands.now) == []


def test_the_oldest_of_its_lane_is_taken_in_its_place(hands, queue):
    """Even where the server finds it without the index, which has them in order."""
    first, _later, older = hands.send(
        *[hands.mail(at=each) for each in (1.0, 3.0, 2.0)]
    )
    assert len(hands.do(claim, "quick", [int(first)], hands.now)) == 1
    with queue.write() as slow:
        for way in ("index", "bitmap"):
            slow.exec_driver_sql(f"SET LOCAL enable_{way}scan = off")
        (found,) = claim(slow, "slow", [int(first)], hands.now)
    assert str(found.id) == older


def test_what_became_due_later_is_not_taken_in_its_place(hands, queue):
    hands.send(hands.mail(), hands.mail(at=hands.now + 1))
    with queue.write() as slow:
        seen = looked(slow, hands)
        hands.claim("quick")
        assert claim(slow, "slow", seen, hands.now) == []


def test_verdicts_of_two_daemons_do_not_wait_for_each_other(hands, queue):
    hands.send(hands.mail(), hands.mail())
    (first,), (second,) = hands.claim("one", 1), hands.claim("two", 1)
    with queue.write() as tx:
        # The settlement of the other would wait for a row that both have to change.
        settle(tx, [hands.settlement(first, Outcome.SENT)], hands.now)
        hands.settle(second, Outcome.SENT)


def test_mail_is_queued_while_a_daemon_writes(hands, queue):
    hands.send()
    with queue.write() as tx:
        claim(tx, "one", looked(tx, hands), hands.now)
        hands.send()
        enqueue(tx, [hands.mail()], hands.now)
    assert len(hands.claim("two")) == 2
