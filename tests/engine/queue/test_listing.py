"""What the queue shows of its messages."""

from __future__ import annotations

import pytest

from collective.maildrophost.engine.clock import rfc3339
from collective.maildrophost.engine.message import Lane
from collective.maildrophost.engine.queue import (
    State,
    attempts,
    content,
    hold_messages,
    keys_in_order,
    list_messages,
)
from collective.maildrophost.engine.verdict import Outcome

MESSAGE_KEYS = [
    "id state lane sender recipients size subject message_id created due attempts",
    "possible_duplicate",
]


def listed(hands, *arguments):
    return [each.subject for each in hands.do(list_messages, *arguments)]


def test_messages_are_listed_oldest_due_first_over_states_and_lanes(hands):
    ids = hands.send(
        hands.mail(subject="c", at=3.0, lane=Lane.BULK),
        hands.mail(subject="a", at=1.0, lane=Lane.BULK),
        hands.mail(subject="b", at=2.0),
        hands.mail(subject="d", at=3.0, lane=Lane.INTERACTIVE),
    )
    hands.do(hold_messages, [ids[2]])
    assert listed(hands) == ["a", "b", "c", "d"]


def test_with_a_limit_the_first_of_all_are_listed(hands):
    lanes = tuple(Lane)
    hands.send(
        *(
            hands.mail(subject=str(n), at=float(n % 7), lane=lanes[n % 3])
            for n in range(30)
        )
    )
    everything = [int(each.id) for each in hands.do(list_messages)]
    for limit in (0, 1, 8, 30, 31):
        assert hands.do(keys_in_order, None, limit) == everything[:limit]


def test_a_state_can_be_listed_alone_and_sent_mail_only_that_way(hands):
    hands.send(hands.mail(subject="gone", at=1.0), hands.mail(subject="here"))
    hands.settle(hands.claim(limit=1)[0], Outcome.SENT)
    assert listed(hands) == ["here"]
    assert listed(hands, State.SENT) == ["gone"]
    assert listed(hands, State.HELD) == []


@pytest.mark.parametrize(
    "id", ["", "x", "999", "-1", "1 ", "²", str(2**63), str(2**70)]
)
def test_an_id_of_no_message_finds_nothing(hands, id):
    hands.send()
    assert hands.message(id) is None


def test_a_message_in_json_has_the_agreed_names(hands):
    (id,) = hands.send(hands.mail("b@x.org", lane=Lane.BULK))
    hands.settle(hands.claim()[0], Outcome.DEFERRED)
    shown = hands.message(id).as_json()
    assert list(shown) == " ".join(MESSAGE_KEYS).split()
    assert shown["recipients"] == [
        {
            "address": "b@x.org",
            "state": "deferred",
            "reply": "450 4.2.0 later",
            "attempts": 1,
        }
    ]
    assert (shown["id"], shown["state"], shown["lane"]) == (id, "deferred", "bulk")
    assert shown["created"] == rfc3339(hands.now)
    assert shown["due"] == rfc3339(hands.now + 60)
    assert shown["possible_duplicate"] is False


def test_the_attempts_at_a_message_are_listed_in_the_order_they_were_made(hands):
    id, _other = hands.send(hands.mail("b@x.org", "c@x.org"), hands.mail("d@x.org"))
    for claimed in hands.claim():
        hands.settle(claimed, *[Outcome.DEFERRED] * len(claimed.recipients), due=1.0)
    for claimed in hands.claim():
        verdicts = Outcome.SENT, Outcome.FAILED
        hands.settle(claimed, *verdicts[: len(claimed.recipients)])
    made = hands.do(attempts, id)
    assert [(each.number, each.address, each.outcome) for each in made] == [
        (1, "b@x.org", "deferred"),
        (1, "c@x.org", "deferred"),
        (2, "b@x.org", "sent"),
        (2, "c@x.org", "failed"),
    ]
    assert made[3].as_json() == {
        "number": 2,
        "time": rfc3339(made[3].time),
        "relay": "relay:25",
        "address": "c@x.org",
        "outcome": "failed",
        "reply": "550 5.1.1 no",
    }


def test_the_content_is_that_of_the_message_that_was_asked_for(hands):
    ids = hands.send(*[hands.mail(subject=subject) for subject in ("one", "two")])
    for id, line in zip(ids, (b"Subject: one", b"Subject: two"), strict=True):
        assert hands.do(content, id).startswith(line)
