"""Who is at fault when a relay refuses a message as if it were so itself."""

from __future__ import annotations

from collective.maildrophost.engine.delivery.blame import Blame


def test_a_relay_that_takes_nothing_is_at_fault_itself():
    blame = Blame()
    for id in (1, 2, 3, 1, 2, 3):
        assert not blame.is_message(id)
        blame.refused(id)


def test_a_message_is_at_fault_when_others_were_taken_since():
    blame = Blame()
    blame.refused(1)
    blame.taken(2)
    assert blame.is_message(1)
    blame.taken(2)
    assert blame.is_message(1)


def test_what_was_taken_before_says_nothing_of_now():
    blame = Blame()
    blame.taken(2)
    blame.refused(1)
    assert not blame.is_message(1)


def test_whether_a_message_is_to_blame_may_be_asked_of_any():
    blame = Blame()
    assert not blame.is_message(1)
    blame.taken(2)
    assert not blame.is_message(1)


def test_a_message_that_is_taken_at_last_is_no_more_suspicious_than_others():
    blame = Blame()
    blame.refused(1)
    blame.taken(2)
    blame.taken(1)
    assert not blame.is_message(1)
