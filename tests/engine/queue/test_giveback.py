"""Claims that end without a verdict: their messages wait again."""

from __future__ import annotations

from dataclasses import replace

import pytest
from sqlalchemy import delete

from collective.maildrophost.engine.message import Lane
from collective.maildrophost.engine.queue import (
    State,
    give_back,
    give_back_last,
    give_back_unheard,
    ownerless,
    recover,
    recover_ownerless,
    tables,
)
from collective.maildrophost.engine.verdict import Outcome

DUE_ONE_BY_ONE = (("first", 1.0), ("second", 2.0), ("third", 3.0))


def names(claims):
    return [each.header_id.strip("<>").removesuffix("@x") for each in claims]


def test_what_is_given_back_was_never_tried(hands):
    (id,) = hands.send()
    (one,) = hands.claim("one")
    assert hands.do(give_back, "two", [one.key]) == 0
    assert hands.do(give_back, "one", [one.key]) == 1
    record = hands.message(id)
    assert (record.state, record.attempts) == (State.QUEUED, 0)
    assert not record.possible_duplicate
    assert hands.claim("two") != []


def test_a_suspect_that_is_given_back_goes_behind_the_others(hands):
    hands.send(*[hands.mail(subject=name, at=at) for name, at in DUE_ONE_BY_ONE])
    (one,) = hands.claim("one", 1)
    hands.do(give_back_last, "two", [one.key], hands.now)
    assert hands.message(one.id).state is State.SENDING
    hands.do(give_back_last, "one", [one.key], hands.now)
    record = hands.message(one.id)
    assert (record.state, record.attempts) == (State.QUEUED, 0)
    assert record.due <= hands.now
    again = hands.claim("two", 9)
    assert names(again) == ["second", "third", "first"]


def test_a_suspect_goes_behind_what_was_queued_in_the_same_moment(hands):
    hands.send(hands.mail(subject="first"), hands.mail(subject="second"))
    (one,) = hands.claim("one", 1)
    hands.do(give_back_last, "one", [one.key], hands.now)
    assert names(hands.claim("two", 9, hands.now + 1)) == ["second", "first"]


def test_a_suspect_that_is_alone_keeps_its_time(hands):
    hands.send(
        hands.mail(subject="alone", at=5.0),
        hands.mail(subject="of another lane", at=7.0, lane=Lane.BULK),
        hands.mail(subject="not due", at=hands.now + 10),
    )
    (one,) = hands.claim("one", 1)
    hands.do(give_back_last, "one", [one.key], hands.now)
    assert hands.message(one.id).due == 5.0


def test_what_a_dead_daemon_had_comes_back_as_a_possible_duplicate(hands):
    first, second = hands.send(hands.mail(subject="1"), hands.mail(subject="2"))
    hands.claim("dead", limit=1)
    hands.claim("alive", limit=1)
    assert hands.do(recover, "dead") == 1
    record = hands.message(first)
    assert (record.state, record.possible_duplicate) == (State.QUEUED, True)
    assert hands.message(second).state is State.SENDING
    (again,) = hands.claim("alive")
    assert again.possible_duplicate


def test_a_tried_message_comes_back_as_deferred(hands):
    (id,) = hands.send()
    hands.settle(hands.claim()[0], Outcome.DEFERRED, due=hands.now)
    hands.claim("one")
    hands.do(recover, "one")
    assert hands.message(id).state is State.DEFERRED


def test_the_mark_of_a_possible_duplicate_stays(hands):
    (id,) = hands.send()
    hands.claim("one")
    hands.do(recover, "one")
    hands.settle(hands.claim("two")[0], Outcome.DEFERRED, due=hands.now)
    hands.settle(hands.claim("two")[0], Outcome.SENT)
    assert hands.message(id).possible_duplicate


def test_claims_whose_commit_was_never_heard_of_come_back(hands):
    hands.send(*[hands.mail() for _ in range(3)])
    known, *unheard = hands.claim("one")
    assert hands.do(give_back_unheard, "two", []) == 0
    assert hands.do(give_back_unheard, "one", [known.key]) == 2
    assert hands.message(known.id).state is State.SENDING
    for each in unheard:
        record = hands.message(each.id)
        assert (record.state, record.possible_duplicate) == (State.QUEUED, False)


def test_claims_without_a_daemon_come_back_as_possible_duplicates(hands):
    gone, lives = hands.send(hands.mail(), hands.mail())
    hands.claim("gone", limit=1)
    hands.register("lives")
    hands.claim("lives")
    assert hands.do(ownerless) == 1
    assert hands.do(recover_ownerless) == 1
    assert hands.do(ownerless) == hands.do(recover_ownerless) == 0
    record = hands.message(gone)
    assert (record.state, record.possible_duplicate) == (State.QUEUED, True)
    assert hands.message(lives).state is State.SENDING


@pytest.fixture
def lost_and_found(hands):
    """A claim that a failover has lost, and one of the mail that has its id now."""
    hands.send()
    (lost,) = hands.claim("one")
    hands.now += 5
    hands.do(delete_all)
    hands.send(hands.mail(subject="other"))
    (found,) = hands.claim("one")
    return replace(lost, id=found.id), found


def delete_all(tx):
    tx.execute(delete(tables.message))


def give_back_behind_others(tx, owner, keys):
    give_back_last(tx, owner, keys, 0.0)


@pytest.mark.parametrize("goes_back", [give_back, give_back_behind_others])
def test_to_give_back_a_lost_message_leaves_the_one_alone_that_has_its_id_now(
    hands, lost_and_found, goes_back
):
    lost, found = lost_and_found
    hands.do(goes_back, "one", [lost.key])
    assert hands.message(found.id).state is State.SENDING
    hands.do(goes_back, "one", [lost.key, found.key])
    assert hands.message(found.id).state is State.QUEUED


def test_a_claim_is_not_known_because_another_one_had_its_id(hands, lost_and_found):
    lost, found = lost_and_found
    for known in ([lost.key, found.key], [found.key, lost.key]):
        assert hands.do(give_back_unheard, "one", known) == 0
    assert hands.do(give_back_unheard, "one", [lost.key]) == 1
    assert hands.claim("two") != []
