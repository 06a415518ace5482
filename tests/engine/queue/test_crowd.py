"""Actions on all messages that match, some of them in each transaction."""

from __future__ import annotations

import pytest

from collective.maildrophost.engine import crowd
from collective.maildrophost.engine.crowd import act_in_portions
from collective.maildrophost.engine.queue import (
    Done,
    Search,
    State,
    hold_messages,
)

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
