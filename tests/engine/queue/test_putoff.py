"""What may fill the memory keeps no other mail from going."""

from __future__ import annotations

import sys

import pytest

from collective.maildrophost.engine.large import LARGE_OCTETS
from collective.maildrophost.engine.queue import State, claim, put_off_large, retire


def claimed(hands, *messages, before=True):
    """Their ids, claimed by a daemon that is about to die; `before`: one had them."""
    ids = hands.send(*messages)
    if before:
        hands.claim("dead before")
        hands.do(retire, "dead before")
    hands.claim("dead")
    return ids


@pytest.mark.parametrize(
    ("age", "wait"), [(0.0, 60.0), (60.0, 60.0), (600.0, 600.0), (86400.0, 3600.0)]
)
def test_large_mail_of_a_killed_daemon_waits_the_longer_the_older_it_is(
    age, wait, hands
):
    (id,) = claimed(hands, hands.mail(octets=LARGE_OCTETS))
    hands.now += age
    assert hands.do(put_off_large, "dead", hands.now) == 1
    hands.do(retire, "dead")
    assert hands.message(id).due == hands.now + wait
    assert hands.message(id).possible_duplicate


def test_large_mail_of_a_single_killed_daemon_goes_at_once(hands):
    (id,) = claimed(hands, hands.mail(octets=LARGE_OCTETS), before=False)
    assert hands.do(put_off_large, "dead", hands.now) == 0
    assert hands.message(id).due <= hands.now


def test_other_mail_of_a_killed_daemon_goes_at_once(hands):
    (id,) = claimed(hands, hands.mail())
    assert hands.do(put_off_large, "dead", hands.now) == 0
    assert hands.message(id).due <= hands.now


def test_large_mail_of_a_daemon_that_lives_is_left_alone(hands):
    (id,) = claimed(hands, hands.mail(octets=LARGE_OCTETS))
    assert hands.do(put_off_large, "another", hands.now) == 0
    assert hands.message(id).due <= hands.now


@pytest.fixture
def little_memory(monkeypatch):
    """Claims of these messages find no memory."""
    module = sys.modules[claim.__module__]
    read, too_large = module._read, set()

    def read_some(tx, owner, ids):
        if too_large.intersection(ids):
            raise MemoryError
        return read(tx, owner, ids)

    monkeypatch.setattr(module, "_read", read_some)
    return too_large


def test_large_mail_for_which_there_is_no_memory_waits_and_the_others_go(
    hands, little_memory
):
    before, id, after = hands.send(
        hands.mail(), hands.mail(octets=LARGE_OCTETS), hands.mail()
    )
    little_memory.add(int(id))
    assert [str(each.id) for each in hands.claim()] == [before, after]
    assert hands.message(id).state is State.QUEUED
    assert hands.message(id).due == hands.now + 60.0
    assert not hands.message(id).possible_duplicate
    little_memory.clear()
    assert [str(each.id) for each in hands.claim(now=hands.now + 60.0)] == [id]


def test_no_memory_for_any_mail_is_the_fault_of_none(hands, little_memory):
    (id,) = hands.send(hands.mail())
    little_memory.add(int(id))
    with pytest.raises(MemoryError):
        hands.claim()
    assert hands.message(id).due <= hands.now
