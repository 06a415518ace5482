"""Whether mail is moving, in one judgement and one sentence."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from collective.maildrophost.engine.clock import rfc3339
from collective.maildrophost.engine.config import RelayAddress
from collective.maildrophost.engine.message import Lane
from collective.maildrophost.engine.queue import (
    Batch,
    Health,
    Reason,
    RelayPause,
    daemons,
    hold_lane,
    look,
    new_batch,
    pause,
    prepare,
    register,
    remember_batch,
    sentence,
    unreadable,
)
from collective.maildrophost.engine.queue.batches import IN_DOUBT_SECONDS
from collective.maildrophost.engine.smtp.fault import RelayFault
from collective.maildrophost.engine.smtp.phases import Phase
from collective.maildrophost.engine.system.identity import own_identity

FAULT = "535 5.7.8 authentication failed"


@pytest.fixture(autouse=True)
def one_clock(monkeypatch):
    """A server's clock shows what these tests want."""
    monkeypatch.setattr(daemons, "moment", lambda tx, now: now)


def health(hands, later=0.0):
    return hands.do(look, hands.now + later)[0]


def said(found: Health) -> str:
    return sentence(found, rfc3339, lambda seconds: f"{seconds:.0f} s")


def a_fault(hands, name="relay:25", fault=FAULT):
    hands.do(pause, RelayPause(name, fault, hands.now - 60, hands.now + 5, 3))


def test_mail_moves_with_a_daemon_whose_relay_takes_it(hands):
    hands.register("one")
    hands.send(hands.mail(lane=Lane.INTERACTIVE))
    hands.claim("one")
    hands.send(hands.mail(at=hands.now - 4), hands.mail())
    found = health(hands)
    assert found == Health(True, Reason.FINE, 3, 4.0, None, "relay:25")
    assert said(found) == "Mail is moving: 3 waiting, oldest 4 s, relay relay:25 fine"


def test_an_empty_queue_is_fine(hands):
    hands.register("one")
    assert said(health(hands)) == "Mail is moving: nothing waiting, relay relay:25 fine"


def test_mail_for_later_does_not_count_as_late(hands):
    hands.register("one")
    hands.send(hands.mail(at=hands.now + 3600))
    assert "1 waiting, none due yet" in said(health(hands))


def test_a_relay_at_fault_stops_mail_and_says_since_when_and_why(hands):
    hands.register("one")
    hands.send(hands.mail(at=hands.now - 90))
    a_fault(hands)
    found = health(hands)
    assert not found.moving
    assert (found.reason, found.since) == (Reason.RELAY, hands.now - 60)
    assert said(found) == (
        f"Mail has not been moving since {rfc3339(hands.now - 60)}: "
        f"relay relay:25: {FAULT}; 1 waiting, oldest 90 s"
    )


def test_a_relay_is_named_once_in_the_sentence(hands):
    hands.register("one")
    fault = RelayFault(RelayAddress("relay", 25), Phase.CONNECT, "Connection refused")
    a_fault(hands, fault=str(fault))
    found = health(hands)
    assert found.fault == "relay relay:25: connect: Connection refused"
    assert ": relay relay:25: connect: Connection refused; nothing" in said(found)
    assert said(found).count("relay:25") == 1


def test_mail_moves_as_long_as_one_of_several_relays_takes_it(hands):
    hands.register("one")
    hands.do(register, replace(hands.register("two"), owner="three", relay="other:25"))
    a_fault(hands)
    assert health(hands).moving
    assert health(hands).relay == "other:25"
    a_fault(hands, "other:25")
    assert not health(hands).moving


def test_without_a_daemon_mail_stands_still(hands):
    found = health(hands)
    assert (found.moving, found.reason, found.since) == (False, Reason.NO_DAEMON, None)
    assert said(found) == (
        "Mail is not moving: no daemon works on the queue; nothing waiting"
    )


def test_mail_stopped_with_the_last_sign_of_life_of_the_last_daemon(hands):
    hands.register("one", lease=10)
    assert health(hands, later=9).moving
    hands.now += 11
    found = health(hands)
    assert (found.reason, found.since) == (Reason.NO_DAEMON, hands.now - 11)
    hands.register("another", lease=-1)
    assert health(hands).since == hands.now


def test_a_killed_daemon_does_not_count_though_its_lease_runs(hands, monkeypatch):
    killed = hands.register("one").process
    monkeypatch.setattr(daemons, "is_gone", lambda process, here: process == killed)
    found = health(hands)
    assert (found.reason, found.since) == (Reason.NO_DAEMON, hands.now)


def test_another_boot_ends_a_daemon_only_of_a_queue_on_one_machine(
    hands, queue, monkeypatch
):
    asked = []
    monkeypatch.setattr(daemons, "is_gone", lambda process, here: asked.append(here))
    hands.register("one")
    health(hands)
    assert asked == [not queue.shared]


def test_mail_in_doubt_and_held_lanes_are_reported(hands):
    hands.register("one", lease=IN_DOUBT_SECONDS * 2)
    hands.do(prepare, new_batch(), [hands.mail()], hands.now)
    goes_on = Batch(new_batch(), own_identity())
    hands.do(remember_batch, goes_on)
    hands.do(prepare, goes_on.batch, [hands.mail()], hands.now)
    hands.do(hold_lane, Lane.BULK)
    assert health(hands, later=IN_DOUBT_SECONDS - 1).in_doubt == 0
    found = health(hands, later=IN_DOUBT_SECONDS + 1)
    assert (found.in_doubt, found.held_lanes) == (1, ("bulk",))


def test_a_queue_that_cannot_be_read_is_reported_as_such(hands):
    found = unreadable("the disk is full")
    assert not found.moving
    assert said(found).endswith("the disk is full")


def test_the_judgement_in_json_has_the_names_of_its_fields(hands):
    hands.register("one")
    a_fault(hands)
    shown = json.loads(json.dumps(health(hands).as_json()))
    assert shown == {
        "moving": False,
        "reason": "relay",
        "waiting": 0,
        "oldest_seconds": 0.0,
        "since": rfc3339(hands.now - 60),
        "relay": "relay:25",
        "fault": FAULT,
        "held_lanes": [],
        "in_doubt": 0,
    }
