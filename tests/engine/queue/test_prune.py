"""What the queue forgets, and what it never does."""

from __future__ import annotations

from collective.maildrophost.engine.queue import (
    RelayPause,
    State,
    list_messages,
    pause,
    pauses,
    prune,
)
from collective.maildrophost.engine.queue.prune import AT_ONCE
from collective.maildrophost.engine.verdict import Outcome

DAY = 86400


def test_the_fault_of_a_relay_that_no_daemon_uses_any_more_is_forgotten(hands):
    hands.register("one")
    for name in ("relay:25", "old:25"):
        hands.do(pause, RelayPause(name, "refused", hands.now, hands.now + 5, 1))
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
    assert [each.subject for each in hands.do(list_messages, State.SENT)] == ["new"]


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
