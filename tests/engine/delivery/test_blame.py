"""Who is to blame when a relay refuses a message as if the relay were at fault."""

from __future__ import annotations

import pytest

from collective.maildrophost.engine.delivery.blame import Blame


@pytest.fixture
def blame():
    return Blame()


def take(blame, id):
    """The relay takes a message that is offered now."""
    blame.taken(id, blame.offered())


def test_a_relay_that_takes_nothing_is_itself_to_blame(blame):
    for id in (1, 2, 3, 1, 2, 3):
        assert not blame.is_message(id)
        blame.refused(id)


def test_a_message_is_to_blame_when_others_were_taken_since(blame):
    blame.refused(1)
    take(blame, 2)
    assert blame.is_message(1)
    take(blame, 2)
    assert blame.is_message(1)


def test_what_was_taken_before_a_refusal_convicts_nobody(blame):
    take(blame, 2)
    blame.refused(1)
    assert not blame.is_message(1)


def test_a_mail_that_was_on_its_way_already_convicts_nobody(blame):
    """A login is wanted from now on, and one mail is just being uploaded."""
    mark = blame.offered()
    for id in (1, 2, 3):
        blame.refused(id)
    blame.taken(4, mark)
    assert not any(map(blame.is_message, (1, 2, 3)))
    take(blame, 5)
    assert all(map(blame.is_message, (1, 2, 3)))


def test_a_mail_that_began_between_two_refusals_convicts_the_first(blame):
    blame.refused(1)
    mark = blame.offered()
    blame.refused(2)
    blame.refused(1)
    blame.taken(3, mark)
    assert blame.is_message(1)
    assert not blame.is_message(2)


def test_a_message_that_was_never_refused_is_never_to_blame(blame):
    assert not blame.is_message(1)
    take(blame, 2)
    assert not blame.is_message(1)


def test_a_message_that_is_taken_at_last_is_suspected_no_longer(blame):
    blame.refused(1)
    take(blame, 2)
    take(blame, 1)
    assert not blame.is_message(1)


def test_a_message_that_has_ended_is_forgotten(blame):
    blame.refused(1)
    blame.refused(2)
    blame.ended(2)
    take(blame, 3)
    blame.ended(1)
    assert not any(map(blame.is_message, (1, 2)))
