"""What a person does to messages, and what is refused."""

from __future__ import annotations

import pytest

from collective.maildrophost.engine.queue import (
    State,
    content,
    delete_messages,
    get_message,
    hold_messages,
    prepare,
    release_messages,
    retry_messages,
)
from collective.maildrophost.engine.queue.leftalone import NoSuchMessage
from collective.maildrophost.engine.queue.states import RecipientState
from collective.maildrophost.engine.verdict import Outcome


def states_after(hands, ids):
    with hands.queue.read() as tx:
        return {
            id: record and record.state
            for id in ids
            for record in [get_message(tx, id)]
        }


@pytest.mark.parametrize(
    ("action", "needs_now", "allowed", "after", "already"),
    [
        (
            *(retry_messages, True, {State.DEFERRED, State.FAILED}, State.QUEUED),
            {State.QUEUED, State.SENDING},
        ),
        (
            *(hold_messages, False, {State.QUEUED, State.DEFERRED}, State.HELD),
            {State.HELD},
        ),
        (
            *(release_messages, False, {State.HELD, State.PREPARED}, State.QUEUED),
            {State.QUEUED, State.DEFERRED, State.SENDING},
        ),
        (delete_messages, False, set(State) - {State.SENDING}, None, set()),
    ],
)
def test_an_action_changes_what_it_may_and_says_why_not_the_others(
    hands, one_of_each, action, needs_now, allowed, after, already
):
    ids = list(one_of_each.values())
    before = states_after(hands, ids)
    done = hands.do(action, ids, *([hands.now] if needs_now else []))
    expected = {one_of_each[state] for state in allowed}
    assert set(done.changed) == expected
    so_before = {one_of_each[state] for state in already}
    assert set(done.already) == so_before
    assert set(done.refused) == set(ids) - expected - so_before
    now_states = states_after(hands, ids)
    for id in ids:
        assert now_states[id] == (after if id in expected else before[id])
    for id, reason in done.refused.items():
        assert str(reason).startswith(f"is {before[id].value}; only ")


def test_mail_to_be_sent_later_is_not_retried_before_its_time(hands):
    (id,) = hands.send(hands.mail(at=hands.now + 1))
    done = hands.do(retry_messages, [id], hands.now)
    assert (done.changed, done.already) == ((), ())
    assert str(done.refused[id]).startswith("is queued; only ")
    assert hands.do(retry_messages, [id], hands.now + 1).already == (id,)


@pytest.mark.parametrize("action", [hold_messages, release_messages, delete_messages])
@pytest.mark.parametrize("id", ["999", "x", "-1", "", "1.0", "٣", str(2**70)])
def test_an_id_of_no_message_is_refused_and_no_error(hands, action, id):
    done = hands.do(action, [id, "y"])
    assert done.changed == ()
    assert done.refused == {id: NoSuchMessage(), "y": NoSuchMessage()}
    assert str(done.refused[id]) == "there is no such message"


@pytest.mark.parametrize("action", [hold_messages, release_messages, delete_messages])
def test_one_message_in_several_spellings_is_one(hands, one_of_each, action):
    id = one_of_each[State.HELD if action is release_messages else State.QUEUED]
    done = hands.do(action, [f"0{id}", id, f"00{id}"])
    assert (done.changed, done.refused) == ((f"0{id}",), {})


def test_a_retried_failure_tries_its_failed_recipients_with_a_new_lifetime(hands):
    (id,) = hands.send(hands.mail("b@x.org", "c@x.org"))
    hands.settle(hands.claim()[0], Outcome.SENT, Outcome.FAILED)
    hands.do(retry_messages, [id], hands.now + 1000)
    (again,) = hands.claim(now=hands.now + 1000)
    assert [each.address for each in again.recipients] == ["c@x.org"]
    assert again.since == hands.now + 1000


@pytest.mark.parametrize("outcome", [Outcome.DEFERRED, Outcome.FAILED])
def test_the_sender_is_warned_once_more_only_with_a_new_lifetime(hands, outcome):
    (id,) = hands.send()
    hands.settle(hands.claim()[0], Outcome.DEFERRED, due=hands.now, warned=True)
    hands.settle(hands.claim()[0], outcome)
    hands.do(retry_messages, [id], hands.now)
    (again,) = hands.claim()
    assert again.warned == (outcome is Outcome.DEFERRED)


def test_a_retried_deferral_is_due_now_and_keeps_its_age(hands):
    (id,) = hands.send()
    hands.settle(hands.claim()[0], Outcome.DEFERRED, due=hands.now + 5000)
    hands.do(retry_messages, [id], hands.now + 10)
    (again,) = hands.claim(now=hands.now + 10)
    assert again.since == hands.now


def test_a_retried_deferral_leaves_who_has_failed_alone(hands):
    (id,) = hands.send(hands.mail("b@x.org", "c@x.org"))
    hands.settle(hands.claim()[0], Outcome.DEFERRED, Outcome.FAILED)
    hands.do(retry_messages, [id], hands.now + 10)
    (again,) = hands.claim(now=hands.now + 10)
    assert [each.address for each in again.recipients] == ["b@x.org"]
    hands.settle(again, Outcome.SENT)
    assert hands.message(id).state is State.FAILED


def test_a_retry_leaves_the_recipients_of_other_messages_alone(hands):
    one, other = hands.send(hands.mail(), hands.mail())
    for claimed in hands.claim():
        hands.settle(claimed, Outcome.DEFERRED)
    hands.do(retry_messages, [one], hands.now)
    states = [hands.message(id).recipients[0].state for id in (one, other)]
    assert states == [RecipientState.PENDING, RecipientState.DEFERRED]


def test_deferred_recipients_are_retried_together_with_pending_ones(hands):
    (id,) = hands.send(hands.mail("b@x.org", "c@x.org"))
    hands.settle(hands.claim()[0], Outcome.DEFERRED, None)
    hands.do(retry_messages, [id], hands.now)
    (again,) = hands.claim()
    assert [each.address for each in again.recipients] == ["b@x.org", "c@x.org"]


def test_released_mail_belongs_to_no_batch_any_more(hands):
    (id,) = hands.do(prepare, "batch", [hands.mail()], hands.now)
    assert hands.message(id).batch == "batch"
    hands.do(release_messages, [id])
    assert hands.message(id).batch is None


def test_held_mail_is_not_claimed_until_it_is_released(hands):
    (id,) = hands.send()
    hands.do(hold_messages, [id])
    assert hands.claim() == []
    hands.do(release_messages, [id])
    assert len(hands.claim()) == 1


def test_a_tried_message_is_deferred_again_after_a_hold(hands):
    (id,) = hands.send()
    hands.settle(hands.claim()[0], Outcome.DEFERRED)
    hands.do(hold_messages, [id])
    hands.do(release_messages, [id])
    assert hands.message(id).state is State.DEFERRED


def test_a_deleted_message_is_gone_with_its_body(hands):
    (id,) = hands.send()
    assert hands.do(delete_messages, [id]).changed == (id,)
    assert hands.message(id) is None
    assert hands.do(content, id) is None


def test_many_ids_are_acted_on_in_one_go(hands):
    ids = hands.send(*[hands.mail() for _ in range(1201)])
    done = hands.do(hold_messages, [*ids, *ids])
    assert (done.changed, done.already) == (ids, ())
