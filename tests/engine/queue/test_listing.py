"""What the queue shows, and what it forgets."""

from __future__ import annotations

import pytest

from collective.maildrophost.engine.clock import rfc3339
from collective.maildrophost.engine.message import Lane
from collective.maildrophost.engine.queue import (
    IN_QUEUE,
    RelayPause,
    State,
    clear,
    hold_lane,
    hold_messages,
    keys_in_order,
    list_messages,
    pause,
    pauses,
    prune,
    queue_length,
    stats,
)
from collective.maildrophost.engine.queue.prune import AT_ONCE
from collective.maildrophost.engine.verdict import Outcome

DAY = 86400
MESSAGE_KEYS = [
    "id state lane sender recipients size subject message_id created due attempts",
    "possible_duplicate",
]


def listed(hands, *arguments):
    return [each.subject for each in hands.do(list_messages, *arguments)]


def test_messages_are_listed_oldest_due_first_over_states_and_lanes(hands):
    ids = hands.send(
        hands.mail(subject="c", at=3.0, lane=Lane.INTERACTIVE),
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
        assert hands.do(keys_in_order, IN_QUEUE, limit) == everything[:limit]


def test_one_state_can_be_listed_sent_mail_only_so(hands):
    hands.send(hands.mail(subject="gone", at=1.0), hands.mail(subject="here"))
    hands.settle(hands.claim(limit=1)[0], Outcome.SENT)
    assert listed(hands) == ["here"]
    assert listed(hands, State.SENT) == ["gone"]
    assert listed(hands, State.HELD) == []


@pytest.mark.parametrize("id", ["", "x", "999", "-1", "1 ", "²", str(2**70)])
def test_an_id_that_is_none_finds_nothing(hands, id):
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


def test_the_figures_count_by_state_and_lane(hands):
    hands.send(hands.mail(at=hands.now - 90), hands.mail(lane=Lane.BULK), hands.mail())
    hands.settle(hands.claim(limit=1)[0], Outcome.SENT)
    alive = [hands.register("one")]
    hands.do(hold_lane, Lane.BULK)
    shown = hands.do(stats, hands.now + 10, alive).as_json()
    assert shown["states"]["sent"] == 1
    assert shown["states"]["queued"] == 2
    assert set(shown["states"]) == {each.value for each in State}
    assert shown["lanes"] == {"interactive": 0, "normal": 1, "bulk": 1}
    assert shown["held_lanes"] == ["bulk"]
    assert shown["oldest_due_seconds"] == 10.0
    assert [set(each) for each in shown["daemons"]] == [
        {"host", "pid", "started", "seen", "relay"}
    ]
    assert shown["relay"] == "ok"
    assert [set(each) for each in shown["hours"]] == [
        {"hour", "sent", "deferred", "failed"}
    ]
    assert hands.do(queue_length) == 2


def test_the_length_of_the_queue_is_what_has_not_ended(hands):
    hands.send(hands.mail(), hands.mail(), hands.mail())
    hands.settle(hands.claim(limit=1)[0], Outcome.SENT)
    hands.settle(hands.claim(limit=1)[0], Outcome.FAILED)
    hands.claim(limit=1)
    assert hands.do(queue_length) == 1


def a_pause(hands, name="relay:25", since=0.0, failures=1):
    since = hands.now + since
    return RelayPause(name, "connection refused", since, since + 5, failures)


def test_a_paused_relay_is_shown_with_its_first_fault(hands):
    hands.register("one")
    hands.do(pause, a_pause(hands))
    hands.do(pause, a_pause(hands, since=100.0, failures=2))
    (found,) = hands.do(pauses)
    assert (found.since, found.failures) == (hands.now, 2)
    shown = hands.do(stats, hands.now).as_json()["relay"]
    assert shown == {"fault": "connection refused", "since": rfc3339(hands.now)}
    assert hands.do(clear, "relay:25")
    assert not hands.do(clear, "relay:25")
    assert hands.do(stats, hands.now).as_json()["relay"] == "ok"


def test_the_fault_of_a_relay_that_no_daemon_uses_any_more_is_not_shown(hands):
    alive = [hands.register("one")]
    hands.do(pause, a_pause(hands, name="old:25"))
    assert hands.do(stats, hands.now, alive).as_json()["relay"] == "ok"


def test_the_fault_of_a_relay_that_no_daemon_uses_any_more_is_forgotten(hands):
    hands.register("one")
    for name in ("relay:25", "old:25"):
        hands.do(pause, a_pause(hands, name=name))
    hands.do(prune, hands.now + 6 * DAY, 30, 0)
    assert {each.name for each in hands.do(pauses)} == {"relay:25", "old:25"}
    hands.do(prune, hands.now + 8 * DAY, 30, 0)
    assert [each.name for each in hands.do(pauses)] == ["relay:25"]


def test_records_of_sent_mail_are_forgotten_when_they_are_old(hands):
    hands.send(hands.mail(subject="old"), hands.mail(subject="new"))
    old, new = hands.claim()
    hands.settle(old, Outcome.SENT)
    hands.settle(new, Outcome.SENT, now=hands.now + 10)
    assert hands.do(prune, hands.now + 30 * DAY + 5, 30, 0) == 1
    assert listed(hands, State.SENT) == ["new"]


def test_failed_mail_stays_until_it_is_told_to_go(hands):
    hands.send()
    hands.settle(hands.claim()[0], Outcome.FAILED)
    assert hands.do(prune, hands.now + 1000 * DAY, 30, 0) == 0
    assert hands.do(prune, hands.now + 6 * DAY, 30, 7) == 0
    assert hands.do(prune, hands.now + 8 * DAY, 30, 7) == 1


def test_what_waits_is_never_forgotten(hands):
    hands.send(hands.mail(), hands.mail())
    hands.settle(hands.claim(limit=1)[0], Outcome.DEFERRED)
    assert hands.do(prune, hands.now + 1000 * DAY, 1, 1) == 0


def test_old_records_go_in_small_batches(hands):
    hands.send(*[hands.mail() for _ in range(AT_ONCE + 1)])
    for each in hands.claim(limit=AT_ONCE + 1):
        hands.settle(each, Outcome.SENT)
    later = hands.now + 2 * DAY
    assert hands.do(prune, later, 1, 0) == AT_ONCE
    assert hands.do(prune, later, 1, 0) == 1
    assert hands.do(prune, later, 1, 0) == 0
