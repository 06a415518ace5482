"""Actions on all messages that match, some of them in each transaction."""

from __future__ import annotations

import pytest

from collective.maildrophost.engine import crowd
from collective.maildrophost.engine.crowd import (
    MoreThanAsked,
    act_in_portions,
    ask_about,
)
from collective.maildrophost.engine.queue import (
    Done,
    Search,
    State,
    delete_messages,
    hold_messages,
    new_batch,
    prepare,
    present,
    release,
)
from collective.maildrophost.engine.verdict import Outcome

EVERYTHING = Search(states=tuple(State))


@pytest.fixture(autouse=True)
def two_at_once(monkeypatch):
    monkeypatch.setattr(crowd, "AT_ONCE", 2)


def meant(queue, action, wanted=EVERYTHING):
    """The ids of those that take part."""
    return act_in_portions(queue, action, wanted, lambda ids: Done(tuple(ids), {}))


@pytest.mark.parametrize(
    ("action", "states"),
    [
        ("retry", {State.DEFERRED, State.FAILED}),
        ("hold", {State.QUEUED, State.DEFERRED}),
        ("release", {State.HELD}),
        ("delete", set(State) - {State.SENDING, State.PREPARED}),
    ],
)
def test_all_means_what_the_action_is_for_but_nothing_in_doubt(
    queue, one_of_each, action, states
):
    assert set(meant(queue, action)) == {one_of_each[state] for state in states}


def test_a_state_narrows_all(queue, one_of_each):
    for action in ("release", "delete"):
        found = meant(queue, action, Search(states=(State.PREPARED,)))
        assert found == (one_of_each[State.PREPARED],)
    assert meant(queue, "hold", Search(states=(State.SENT,))) == ()


def test_no_transaction_is_given_more_than_its_share(queue, hands):
    ids = hands.send(*[hands.mail() for _ in range(5)])
    parts = []

    def act(part):
        parts.append(tuple(part))
        return hands.do(hold_messages, part)

    assert act_in_portions(queue, "hold", EVERYTHING, act) == ids
    assert parts == [ids[:2], ids[2:4], ids[4:]]


def test_what_was_cut_off_can_be_done_again(queue, hands):
    ids = hands.send(*[hands.mail() for _ in range(5)])

    def act(part):
        if ids[2] in part:
            raise ZeroDivisionError
        return hands.do(hold_messages, part)

    with pytest.raises(ZeroDivisionError):
        act_in_portions(queue, "hold", EVERYTHING, act)
    states = [hands.message(id).state for id in ids]
    assert states == [State.HELD] * 2 + [State.QUEUED] * 3
    again = act_in_portions(
        queue, "hold", EVERYTHING, lambda part: hands.do(hold_messages, part)
    )
    assert again == ids[2:]


def test_mail_that_is_queued_meanwhile_is_left_alone(queue, hands):
    ids = hands.send(hands.mail(), hands.mail())

    def act(part):
        hands.send(hands.mail())
        return hands.do(hold_messages, part)

    assert act_in_portions(queue, "hold", EVERYTHING, act) == ids


def test_who_takes_no_part_any_more_is_no_refusal(queue, hands):
    ids = hands.send(hands.mail(), hands.mail())

    def act(part):
        hands.claim(limit=1)
        return hands.do(hold_messages, part)

    (changed,) = act_in_portions(queue, "hold", EVERYTHING, act)
    assert changed in ids


@pytest.fixture
def transaction(hands):
    """Writes mail of a transaction that has not ended; it ends when that is called."""

    def write(*messages):
        batch = new_batch()
        hands.do(prepare, batch, messages, hands.now)
        return lambda: hands.do(release, batch)

    return write


def test_mail_whose_transaction_commits_meanwhile_is_left_alone(
    queue, hands, transaction
):
    commit = transaction(*[hands.mail() for _ in range(3)])
    ids = hands.send(hands.mail(), hands.mail(), hands.mail())

    def act(part):
        commit()
        return hands.do(hold_messages, part)

    assert act_in_portions(queue, "hold", EVERYTHING, act) == ids


@pytest.fixture
def delete_asked_about(queue, hands):
    """Asks before a deletion: how many would go, and what deletes them."""

    def ask(wanted=EVERYTHING):
        asked = hands.do(ask_about, "delete", wanted)
        return asked.affected, lambda: act_in_portions(
            queue, "delete", wanted, lambda part: hands.do(delete_messages, part), asked
        )

    return ask


@pytest.mark.parametrize("newsletters", [1, 5])
def test_mail_that_was_prepared_when_it_was_asked_about_is_left_alone(
    hands, transaction, delete_asked_about, newsletters, monkeypatch
):
    monkeypatch.setattr(present, "MOST_SPANS", 3)
    old = hands.send()
    commits = [transaction(hands.mail(), hands.mail()) for _ in range(newsletters)]
    new = hands.send()
    affected, delete = delete_asked_about()
    for commit in commits:
        commit()
    assert affected == 2
    assert delete() == (*old, *new)


def test_mail_that_comes_while_it_is_asked_about_is_left_alone(
    hands, delete_asked_about
):
    seen = hands.send()
    _, delete = delete_asked_about()
    hands.send()
    assert delete() == seen


def test_more_of_a_state_than_were_asked_about_are_asked_about_again(
    hands, delete_asked_about
):
    hands.send(hands.mail(), hands.mail())
    one, two = hands.claim()
    hands.settle(one, Outcome.FAILED)
    affected, delete = delete_asked_about(Search(states=(State.FAILED,)))
    hands.settle(two, Outcome.FAILED)
    assert affected == 1
    with pytest.raises(MoreThanAsked, match="2 messages match by now, 1 did"):
        delete()
    assert hands.message(one.id).state is State.FAILED


def test_mail_that_moves_while_it_is_asked_about_is_not_more(hands, delete_asked_about):
    hands.send(hands.mail(), hands.mail(), hands.mail())
    one, two = hands.claim(limit=2)
    affected, delete = delete_asked_about()
    hands.settle(one, Outcome.DEFERRED)
    hands.settle(two, Outcome.SENT)
    assert affected == 1
    assert len(delete()) == 3


def test_the_record_of_sent_mail_may_grow(hands, delete_asked_about):
    hands.send(hands.mail(), hands.mail())
    one, two = hands.claim()
    hands.settle(one, Outcome.SENT)
    _, delete = delete_asked_about(Search(states=(State.SENT,)))
    hands.settle(two, Outcome.SENT)
    assert len(delete()) == 2


def test_prepared_mail_is_deleted_where_it_is_asked_for(
    hands, transaction, delete_asked_about
):
    transaction(hands.mail(), hands.mail())
    affected, delete = delete_asked_about(Search(states=(State.PREPARED,)))
    assert affected == 2
    assert len(delete()) == 2
