"""The figures of the queue."""

from __future__ import annotations

import pytest

from collective.maildrophost.engine.clock import rfc3339
from collective.maildrophost.engine.message import Lane
from collective.maildrophost.engine.queue import (
    RelayPause,
    State,
    clear,
    due_length,
    hold_lane,
    hold_messages,
    no_stats,
    pause,
    queue_length,
    recently_sent,
    stats,
)
from collective.maildrophost.engine.verdict import Outcome


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
    assert shown["hours"][0]["hour"] == rfc3339(hands.now - hands.now % 3600)
    assert hands.do(queue_length) == 2


def test_the_length_of_the_queue_is_what_has_not_ended(hands):
    hands.send(hands.mail(), hands.mail(), hands.mail())
    hands.settle(hands.claim(limit=1)[0], Outcome.SENT)
    hands.settle(hands.claim(limit=1)[0], Outcome.FAILED)
    hands.claim(limit=1)
    assert hands.do(queue_length) == 1


def test_what_is_due_is_counted_where_its_lane_is_not_held(hands):
    hands.send(*[hands.mail(lane=lane) for lane in (Lane.NORMAL, Lane.BULK)])
    hands.send(hands.mail(at=hands.now + 1))
    assert hands.do(due_length, hands.now) == 2
    hands.do(hold_lane, Lane.BULK)
    assert hands.do(due_length, hands.now) == 1
    assert hands.do(due_length, hands.now + 1) == 2


def test_what_has_ended_or_is_held_is_not_due(hands):
    held, *_ = hands.send(hands.mail(at=hands.now + 1), hands.mail(), hands.mail())
    hands.do(hold_messages, [held])
    for claimed, outcome in zip(
        hands.claim(), (Outcome.SENT, Outcome.FAILED), strict=True
    ):
        hands.settle(claimed, outcome)
    assert hands.do(due_length, hands.now + 1) == 0


def test_a_queue_that_nobody_has_made_yet_has_the_figures_of_an_empty_one(hands):
    assert hands.do(stats, hands.now) == no_stats()


def test_mail_for_later_has_not_been_due_for_any_time(hands):
    hands.send(hands.mail(at=hands.now + 60))
    assert hands.do(stats, hands.now).oldest_due_seconds == 0.0


def test_what_was_sent_lately_is_counted_for_each_daemon(hands):
    hands.send(hands.mail(), hands.mail())
    for owner in ("one", "two"):
        hands.settle(hands.claim(owner, limit=1)[0], Outcome.SENT)
    for later, sent in ((0, 1), (3600, 1), (7200, 0)):
        assert hands.do(recently_sent, ["one"], hands.now + later) == sent


@pytest.fixture
def at_fault(hands):
    """Puts a relay at fault."""

    def at_fault(name="relay:25"):
        fault = RelayPause(name, "connection refused", hands.now, hands.now + 5, 1)
        hands.do(pause, fault)

    return at_fault


def test_a_relay_at_fault_is_shown_until_it_works(hands, at_fault):
    alive = [hands.register("one")]
    at_fault()
    shown = hands.do(stats, hands.now, alive).as_json()["relay"]
    assert shown == {"fault": "connection refused", "since": rfc3339(hands.now)}
    hands.do(clear, "relay:25")
    assert hands.do(stats, hands.now, alive).as_json()["relay"] == "ok"


def test_a_fault_is_shown_while_no_daemon_lives(hands, at_fault):
    at_fault()
    assert hands.do(stats, hands.now).as_json()["relay"] != "ok"


def test_the_fault_of_a_relay_that_no_daemon_uses_any_more_is_not_shown(
    hands, at_fault
):
    alive = [hands.register("one")]
    at_fault("old:25")
    assert hands.do(stats, hands.now, alive).as_json()["relay"] == "ok"
