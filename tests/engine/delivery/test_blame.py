"""Who is at fault when a relay refuses a message as if it were so itself."""

from __future__ import annotations

from collective.maildrophost.engine.delivery.blame import Blame


def test_a_relay_that_takes_nothing_is_at_fault_itself():
    blame = Blame()
    assert not any(blame.is_message(id) for id in (1, 2, 3, 1, 2, 3))


def test_a_message_is_at_fault_when_others_were_taken_since():
    blame = Blame()
    assert not blame.is_message(1)
    blame.taken(2)
    assert blame.is_message(1)
    assert blame.is_message(1)


def test_what_was_taken_before_says_nothing_of_now():
    blame = Blame()
    blame.taken(2)
    assert not blame.is_message(1)


def test_a_message_that_is_taken_at_last_is_no_more_suspicious_than_others():
    blame = Blame()
    blame.is_message(1)
    blame.taken(2)
    blame.taken(1)
    assert not blame.is_message(1)
