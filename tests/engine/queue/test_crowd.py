"""Actions on all messages that match, some of them in each transaction."""

from __future__ import annotations

import time

import pytest

from collective.maildrophost.engine import actions, crowd
from collective.maildrophost.engine.crowd import MoreThanAsked, act_on_all, ask_about
from collective.maildrophost.engine.message import Lane
from collective.maildrophost.engine.queue import (
    Batch,
    Search,
    State,
    new_batch,
    prepare,
    present,
    present_now,
    release,
    remember_batch,
    retry_messages,
)
from collective.maildrophost.engine.queue.batches import IN_DOUBT_SECONDS
from collective.maildrophost.engine.system.identity import own_identity
from collective.maildrophost.engine.verdict import Outcome

EVERYTHING = Search(states=tuple(State))


@pytest.fixture(autouse=True)
def two_at_once(monkeypatch):
    monkeypatch.setattr(crowd, "AT_ONCE", 2)


@pytest.fixture
def before_acting(monkeypatch):
    """Calls to make, with their ids, before messages are acted on."""
    calls = []
    act = actions.act

    def acting(queue, action, ids, states=()):
        for call in calls:
            call(ids)
        return act(queue, action, ids, states)

    monkeypatch.setattr(actions, "act", acting)
    return calls


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
    changed = act_on_all(queue, action, EVERYTHING)
    assert set(changed) == {one_of_each[state] for state in states}


@pytest.mark.parametrize("action", ["release", "delete"])
def test_a_state_narrows_all(queue, one_of_each, action):
    changed = act_on_all(queue, action, Search(states=(State.PREPARED,)))
    assert changed == (one_of_each[State.PREPARED],)
    assert act_on_all(queue, "hold", Search(states=(State.SENT,))) == ()


@pytest.fixture
def prepared(queue, hands):
    """Prepares the mail of a transaction some seconds ago; its id."""

    def prepared(process, ago, voted=True):
        batch, created = new_batch(), time.time() - ago
        with queue.write() as tx:
            remember_batch(tx, Batch(batch, process, voted))
            (id,) = prepare(tx, batch, [hands.mail()], created)
        return id

    return prepared


@pytest.mark.parametrize("action", ["release", "delete"])
def test_all_does_not_mean_mail_of_a_transaction_that_is_just_ending(
    queue, prepared, action
):
    """Its page is about to release it, and would find it gone or release it again."""
    prepared(own_identity(), ago=1)
    prepared("a process elsewhere", ago=1)
    killed = prepared(own_identity().rsplit(" ", 1)[0] + " 1", ago=1)  # its PID is ours
    broken = prepared(own_identity(), ago=IN_DOUBT_SECONDS + 1)
    changed = act_on_all(queue, action, Search(states=(State.PREPARED,)))
    assert changed == (killed, broken)


@pytest.mark.parametrize("action", ["release", "delete"])
def test_all_does_not_mean_mail_that_another_machine_may_still_be_preparing(
    queue, prepared, action
):
    prepared("a process elsewhere", ago=1, voted=False)
    broken = prepared("a process elsewhere", ago=IN_DOUBT_SECONDS + 1, voted=False)
    assert act_on_all(queue, action, Search(states=(State.PREPARED,))) == (broken,)


def test_mail_in_doubt_is_not_deleted_together_with_other_mail(queue, one_of_each):
    wanted = Search(states=(State.PREPARED, State.HELD))
    assert act_on_all(queue, "delete", wanted) == (one_of_each[State.HELD],)


def test_a_text_narrows_all(queue, hands):
    ids = hands.send(*[hands.mail() for _ in range(5)], hands.mail("other@x.org"))
    assert act_on_all(queue, "hold", Search(text="b@x.org")) == ids[:5]
    assert hands.message(ids[5]).state is State.QUEUED


def test_a_lane_narrows_all(queue, hands):
    _, bulk = hands.send(hands.mail(), hands.mail(lane=Lane.BULK))
    assert act_on_all(queue, "delete", Search(lane=Lane.BULK)) == (bulk,)


def test_no_transaction_is_given_more_than_its_share(queue, hands, before_acting):
    ids = hands.send(*[hands.mail() for _ in range(5)])
    parts = []
    before_acting.append(parts.append)
    assert act_on_all(queue, "hold", EVERYTHING) == ids
    assert parts == [ids[:2], ids[2:4], ids[4:]]


def test_what_was_cut_off_can_be_done_again(queue, hands, before_acting):
    ids = hands.send(*[hands.mail() for _ in range(5)])

    def cut_off(part):
        if ids[2] in part:
            raise ZeroDivisionError

    before_acting.append(cut_off)
    with pytest.raises(ZeroDivisionError):
        act_on_all(queue, "hold", EVERYTHING)
    states = [hands.message(id).state for id in ids]
    assert states == [State.HELD] * 2 + [State.QUEUED] * 3
    before_acting.clear()
    assert act_on_all(queue, "hold", EVERYTHING) == ids[2:]


def test_mail_that_is_queued_meanwhile_is_left_alone(queue, hands, before_acting):
    ids = hands.send(hands.mail(), hands.mail())
    before_acting.append(lambda part: hands.send(hands.mail()))
    assert act_on_all(queue, "hold", EVERYTHING) == ids


def test_a_message_that_no_longer_qualifies_is_no_refusal(queue, hands, before_acting):
    ids = hands.send(hands.mail(), hands.mail())
    before_acting.append(lambda part: hands.claim(limit=1))
    (changed,) = act_on_all(queue, "hold", EVERYTHING)
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
    queue, hands, transaction, before_acting
):
    commit = transaction(*[hands.mail() for _ in range(3)])
    ids = hands.send(hands.mail(), hands.mail(), hands.mail())
    before_acting.append(lambda part: commit())
    assert act_on_all(queue, "hold", EVERYTHING) == ids


def test_mail_whose_transaction_commits_while_all_in_doubt_is_deleted_is_left_alone(
    queue, hands, transaction, before_acting
):
    commit = transaction(hands.mail(), hands.mail())
    before_acting.append(lambda part: commit())
    assert act_on_all(queue, "delete", Search(states=(State.PREPARED,))) == ()
    assert len(hands.claim()) == 2


def test_mail_that_is_retried_while_all_that_failed_is_deleted_is_left_alone(
    queue, hands, before_acting
):
    (id,) = hands.send()
    hands.settle(hands.claim()[0], Outcome.FAILED)
    before_acting.append(lambda part: hands.do(retry_messages, [id], hands.now))
    assert act_on_all(queue, "delete", Search(states=(State.FAILED,))) == ()
    assert hands.message(id).state is State.QUEUED


@pytest.fixture
def delete_asked_about(queue, hands):
    """Asks before a deletion: how many would go, and what deletes them."""

    def ask(wanted=EVERYTHING):
        asked, affected = hands.do(ask_about, "delete", wanted)
        return affected, lambda: act_on_all(queue, "delete", wanted, asked)

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


def test_of_many_open_transactions_the_last_are_one_span(hands, monkeypatch):
    monkeypatch.setattr(present, "MOST_SPANS", 2)
    a, b, c = (new_batch() for _ in range(3))
    for batch in (a, b, c, b):
        hands.do(prepare, batch, [hands.mail()], hands.now)
    assert hands.do(present_now).unended == ((1, 1), (2, 4))


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
