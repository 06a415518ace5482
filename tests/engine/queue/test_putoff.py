"""What may have had a daemon killed keeps no other mail from going."""

from __future__ import annotations

from dataclasses import replace

import pytest

from collective.maildrophost.engine.large import LARGE_OCTETS
from collective.maildrophost.engine.queue import put_off_large, retire


def claimed(hands, *messages, before=True):
    """Their ids; a daemon has them that is about to die, as another has `before`."""
    ids = hands.send(*messages)
    if before:
        hands.claim("dead before")
        hands.do(retire, "dead before")
    hands.claim("dead")
    return ids


def large(hands):
    mail = hands.mail()
    return replace(mail, content=mail.content + b"x" * LARGE_OCTETS)


@pytest.mark.parametrize(
    ("age", "wait"), [(0.0, 60.0), (60.0, 60.0), (600.0, 600.0), (86400.0, 3600.0)]
)
def test_large_mail_of_a_killed_daemon_waits_the_longer_the_older_it_is(
    age, wait, hands
):
    (id,) = claimed(hands, large(hands))
    hands.now += age
    assert hands.do(put_off_large, "dead", hands.now) == 1
    hands.do(retire, "dead")
    assert hands.message(id).due == hands.now + wait
    assert hands.message(id).possible_duplicate


def test_large_mail_that_was_in_flight_at_one_kill_goes_at_once(hands):
    (id,) = claimed(hands, large(hands), before=False)
    assert hands.do(put_off_large, "dead", hands.now) == 0
    assert hands.message(id).due <= hands.now


def test_other_mail_of_a_killed_daemon_goes_at_once(hands):
    (id,) = claimed(hands, hands.mail())
    assert hands.do(put_off_large, "dead", hands.now) == 0
    assert hands.message(id).due <= hands.now


def test_large_mail_of_a_daemon_that_lives_is_left_alone(hands):
    (id,) = claimed(hands, large(hands))
    assert hands.do(put_off_large, "another", hands.now) == 0
    assert hands.message(id).due <= hands.now
