"""A due message is in the hands of exactly one daemon at a time."""

from __future__ import annotations

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import pytest

from collective.maildrophost.engine.large import LARGE_OCTETS
from collective.maildrophost.engine.message import Lane
from collective.maildrophost.engine.queue import (
    QueueError,
    State,
    claim,
    due,
    held_lanes,
    hold_lane,
    next_due,
    release_lane,
)


def names(claims):
    return [each.header_id.strip("<>").removesuffix("@x") for each in claims]


def test_a_claim_has_all_that_a_delivery_needs(hands):
    hands.send(hands.mail("b@x.org", "c@x.org", lane=Lane.BULK))
    (one,) = hands.claim("me")
    assert (one.owner, one.lane, one.sender) == ("me", Lane.BULK, "a@x.org")
    assert [each.address for each in one.recipients] == ["b@x.org", "c@x.org"]
    assert one.content.endswith(b"\n\nbody\n")
    assert (one.attempts, one.possible_duplicate) == (0, False)
    assert one.created == one.since == hands.now
    assert hands.message(one.id).state is State.SENDING


def test_the_lanes_are_asked_in_order_the_oldest_due_first(hands):
    hands.send(
        hands.mail(subject="bulk", lane=Lane.BULK, at=1.0),
        hands.mail(subject="late", at=3.0),
        hands.mail(subject="early", at=2.0),
        hands.mail(subject="password", lane=Lane.INTERACTIVE, at=4.0),
    )
    assert names(hands.claim()) == ["password", "early", "late", "bulk"]


def test_an_error_of_the_database_itself_is_no_messages_fault(hands, monkeypatch):
    def fail(tx, owner, ids):
        raise tx.dialect.loaded_dbapi.OperationalError("disk I/O error")

    (id,) = hands.send(hands.mail())
    monkeypatch.setattr(sys.modules[claim.__module__], "_read", fail)
    with pytest.raises(QueueError, match="disk I/O error"):
        hands.claim()
    assert hands.message(id).state is State.QUEUED


def test_an_error_in_the_search_for_damaged_mail_is_no_messages_fault(
    hands, monkeypatch
):
    driver = hands.do(lambda tx: tx.dialect.loaded_dbapi)
    met = iter([driver.DataError("damaged"), driver.OperationalError("disk I/O error")])

    def fail(tx, owner, ids):
        raise next(met)

    (id,) = hands.send(hands.mail())
    monkeypatch.setattr(sys.modules[claim.__module__], "_read", fail)
    with pytest.raises(QueueError):
        hands.claim()
    assert hands.message(id).state is State.QUEUED


def test_small_mail_behind_large_mail_is_shown_as_well(hands):
    """There may be no room for the large."""
    ids = hands.send(
        *[hands.mail(octets=LARGE_OCTETS, at=1.0 + number) for number in range(3)],
        *[hands.mail(at=4.0 + number) for number in range(3)],
    )
    first, second, third, *small = map(int, ids)
    found = hands.do(due, 2, hands.now)
    assert found.lanes[Lane.NORMAL] == [first, second, *small[:2]]
    assert set(found.large) == {first, second}
    assert min(found.large.values()) > LARGE_OCTETS
    # None of them twice.
    shown = hands.do(due, 4, hands.now).lanes[Lane.NORMAL]
    assert shown == [first, second, third, *small]


def test_nobody_gets_another_large_message_in_place_of_one_that_is_taken(hands):
    """The room was made for that one."""
    first, second = hands.send(
        hands.mail(octets=LARGE_OCTETS, at=1.0), hands.mail(octets=LARGE_OCTETS, at=2.0)
    )
    hands.send(hands.mail(subject="small", at=9.0))
    (taken,) = hands.do(claim, "other", [int(first)], hands.now)
    if hands.queue.shared:
        assert names(hands.do(claim, "one", [int(first)], hands.now)) == ["small"]
    (found,) = hands.do(claim, "one", [int(second)], hands.now)
    assert (taken.id, found.id) == (int(first), int(second))
    assert len(found.content) == found.size > LARGE_OCTETS


def test_each_lane_shows_as_many_as_are_wanted_and_no_more(hands):
    ids = hands.send(*[hands.mail(lane=lane) for lane in Lane for _ in range(3)])
    keys = [int(each) for each in ids]
    assert hands.do(due, 2, hands.now).lanes == {
        Lane.INTERACTIVE: keys[:2],
        Lane.NORMAL: keys[3:5],
        Lane.BULK: keys[6:8],
    }


def test_what_is_not_due_is_not_claimed(hands):
    hands.send(hands.mail(at=hands.now + 10))
    assert hands.claim() == []
    assert hands.do(next_due) == hands.now + 10
    hands.send(
        hands.mail(lane=Lane.INTERACTIVE, at=hands.now + 20),
        hands.mail(lane=Lane.BULK, at=hands.now + 30),
    )
    assert hands.do(next_due) == hands.now + 10
    assert len(hands.claim(now=hands.now + 10)) == 1


def test_what_is_claimed_is_claimed_by_nobody_else(hands):
    hands.send()
    assert len(hands.claim("one")) == 1
    assert hands.claim("two") == []
    assert hands.claim("one") == []


def test_threads_never_claim_the_same_message(hands):
    ids = set(hands.send(*[hands.mail() for _ in range(120)]))

    def work(owner):
        claimed = []
        while found := hands.claim(owner, limit=7):
            claimed += [str(each.id) for each in found]
        return claimed

    with ThreadPoolExecutor(4) as threads:
        claimed = [each for part in threads.map(work, "abcd") for each in part]
    assert len(claimed) == 120
    assert set(claimed) == ids


CLAIM_ALL = """
import sys
from collective.maildrophost.engine.queue import claim, due, open_queue
queue = open_queue(sys.argv[1])
print("ready", flush=True)
input()
while True:
    with queue.write() as tx:
        ids = [key for lane in due(tx, 3, 2e9).lanes.values() for key in lane]
        found = claim(tx, sys.argv[2], ids, 2e9)
    if not found:
        break
    print(*[each.id for each in found], flush=True)
"""


def test_processes_never_claim_the_same_message(hands, url):
    ids = set(hands.send(*[hands.mail() for _ in range(60)]))
    workers = [
        subprocess.Popen(
            [sys.executable, "-c", CLAIM_ALL, url, owner],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for owner in ("one", "two")
    ]
    for worker in workers:
        assert worker.stdout.readline() == "ready\n"
    for worker in workers:
        worker.stdin.write("\n")
        worker.stdin.flush()
    claimed = " ".join(worker.communicate()[0] for worker in workers).split()
    assert len(claimed) == 60
    assert set(claimed) == ids


def test_a_held_lane_is_not_claimed_new_mail_included(hands):
    hands.send(hands.mail(lane=Lane.BULK))
    assert hands.do(hold_lane, Lane.BULK)
    assert not hands.do(hold_lane, Lane.BULK)
    hands.send(hands.mail(lane=Lane.BULK), hands.mail(subject="free"))
    assert names(hands.claim()) == ["free"]
    assert hands.do(held_lanes) == (Lane.BULK,)
    assert hands.do(next_due) is None
    assert hands.do(release_lane, Lane.BULK)
    assert not hands.do(release_lane, Lane.BULK)
    assert len(hands.claim()) == 2


def test_a_lane_is_released_alone(hands):
    hands.do(hold_lane, Lane.BULK)
    hands.do(hold_lane, Lane.INTERACTIVE)
    assert hands.do(held_lanes) == (Lane.INTERACTIVE, Lane.BULK)
    hands.do(release_lane, Lane.BULK)
    assert hands.do(held_lanes) == (Lane.INTERACTIVE,)
