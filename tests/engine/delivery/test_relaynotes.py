"""What is written down of a relay's fault, and who is told of it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from collective.maildrophost.engine.delivery.notifications import NotificationPolicy
from collective.maildrophost.engine.delivery.relaynotes import FaultBegan, FaultEnded
from collective.maildrophost.engine.queue import RelayPause, list_messages, pauses

NOW = 1_800_000_000.0
LASTS = 900.0
NOTIFY = NotificationPolicy("mail.x.org", True, 14400.0, "postmaster@x.org")
TO_NOBODY = replace(NOTIFY, postmaster="")
PAUSED = RelayPause("relay:25", "refused", NOW, NOW + 2000, 9)


@pytest.fixture
def told(queue):
    """Writes these notes down; the addresses of all letters so far."""

    def write(*notes):
        with queue.write() as tx:
            for note in notes:
                note(tx)
            return [each.recipients[0].address for each in list_messages(tx)]

    return write


def began(after, notify=NOTIFY):
    return FaultBegan(PAUSED, notify, "me", NOW + after)


def ended(notify=NOTIFY, paused_until=None):
    return FaultEnded("relay:25", notify, "me", NOW + 2 * LASTS, paused_until)


def test_the_postmaster_is_told_once_of_a_fault_that_lasts_and_of_its_end(told):
    assert told(began(LASTS - 1)) == []
    assert told(began(LASTS), began(LASTS + 1)) == ["postmaster@x.org"]
    assert told(ended(), ended()) == ["postmaster@x.org"] * 2


def test_the_end_of_a_fault_that_was_never_reported_is_not_reported_either(told):
    assert told(began(LASTS - 1), ended()) == []


def test_without_a_postmaster_nobody_is_told(told):
    assert told(began(LASTS, TO_NOBODY), ended(TO_NOBODY)) == []
    assert told(began(LASTS), ended(TO_NOBODY)) == ["postmaster@x.org"]


def test_another_fault_than_the_one_that_was_meant_goes_on(queue, told):
    told(began(0), ended(paused_until=PAUSED.paused_until - 1))
    with queue.read() as tx:
        assert [each.name for each in pauses(tx)] == ["relay:25"]
    told(ended(paused_until=PAUSED.paused_until))
    with queue.read() as tx:
        assert pauses(tx) == []
