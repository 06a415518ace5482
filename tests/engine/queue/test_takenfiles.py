"""A file is taken only once, for as long as it may be there or come back."""

from __future__ import annotations

from collective.maildrophost.engine.queue import forget_files, prune_files, take_file

DAY = 86400


def test_a_file_is_taken_once_for_each_key(hands):
    first = hands.do(take_file, "key", hands.mail(), hands.now)
    assert first is not None
    assert hands.do(take_file, "key", hands.mail(), hands.now) is None
    assert hands.do(take_file, "other", hands.mail(), hands.now) is not None
    assert len(hands.claim()) == 2


def test_the_key_of_a_taken_file_stays_for_as_long_as_its_file_may_be_there(hands):
    hands.do(take_file, "key", hands.mail(), hands.now)
    hands.do(prune_files, hands.now + 10_000 * DAY)
    assert hands.do(take_file, "key", hands.mail(), hands.now) is None


def test_the_key_of_a_file_that_may_come_back_stays_for_days(hands):
    hands.do(take_file, "key", hands.mail(), hands.now)
    hands.do(forget_files, [], ["key"], hands.now)
    assert hands.do(prune_files, hands.now + 7 * DAY) == 0
    # It has come back.
    assert hands.do(take_file, "key", hands.mail(), hands.now + 6 * DAY) is None
    assert hands.do(prune_files, hands.now + 20 * DAY) == 0
    hands.do(forget_files, [], ["key"], hands.now + 20 * DAY)
    assert hands.do(prune_files, hands.now + 28 * DAY) == 1
    assert hands.do(take_file, "key", hands.mail(), hands.now) is not None


def test_a_file_that_has_come_back_changes_no_other_key(hands):
    for key in ("gone", "here"):
        hands.do(take_file, key, hands.mail(), hands.now)
    hands.do(forget_files, [], ["gone"], hands.now)
    assert hands.do(take_file, "here", hands.mail(), hands.now) is None
    assert hands.do(prune_files, hands.now + 8 * DAY) == 1
