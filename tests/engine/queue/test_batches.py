"""Nobody sends the mail of a transaction before its release."""

from __future__ import annotations

import pytest

from collective.maildrophost.engine.queue import (
    Batch,
    State,
    check_whole,
    content,
    discard,
    list_messages,
    new_batch,
    next_due,
    open_batches,
    prepare,
    prepared_batches,
    prune,
    release,
    release_messages,
    remember_batch,
)
from collective.maildrophost.engine.queue.batches import MOVING, BatchTorn
from collective.maildrophost.engine.system.identity import own_identity


def subjects(claims):
    return [each.header_id for each in claims]


def prepare_some(hands, count=3, batch=None):
    messages = [hands.mail(subject=f"n{n}") for n in range(count)]
    return hands.do(prepare, batch or new_batch(), messages, hands.now, "site")


def test_prepared_mail_is_invisible_to_claims(hands):
    ids = prepare_some(hands)
    assert hands.claim() == []
    assert hands.do(next_due) is None
    record = hands.message(ids[0])
    assert (record.state, record.origin) == (State.PREPARED, "site")


def test_a_release_makes_all_of_the_batch_due(hands):
    batch, other = new_batch(), new_batch()
    prepare_some(hands, batch=batch)
    prepare_some(hands, batch=other)
    assert hands.do(release, batch) == 3
    assert len(hands.claim()) == 3
    assert hands.do(release, batch) == 0


def test_a_batch_keeps_its_order_over_several_calls(hands):
    batch = new_batch()
    for name in ("first", "second", "third"):
        hands.do(prepare, batch, [hands.mail(subject=name)], hands.now)
    hands.do(release, batch)
    assert subjects(hands.claim()) == ["<first@x>", "<second@x>", "<third@x>"]


def test_a_discarded_batch_leaves_nothing(hands):
    batch = new_batch()
    ids = prepare_some(hands, batch=batch)
    assert hands.do(discard, batch) == 3
    assert hands.message(ids[0]) is None
    assert hands.do(content, ids[0]) is None
    assert hands.do(release, batch) == 0


def test_a_discard_beyond_a_savepoint_keeps_what_came_before_it(hands):
    batch = new_batch()
    prepare_some(hands, count=5, batch=batch)
    assert hands.do(discard, batch, 2) == 3
    hands.do(prepare, batch, [hands.mail(subject="after")], hands.now)
    hands.do(release, batch)
    assert subjects(hands.claim()) == ["<n0@x>", "<n1@x>", "<after@x>"]


def test_a_discard_after_the_release_takes_nothing_back(hands):
    batch = new_batch()
    prepare_some(hands, batch=batch)
    hands.do(release, batch)
    assert hands.do(discard, batch) == 0
    assert len(hands.claim()) == 3


def test_an_error_in_a_transaction_leaves_nothing_of_it(hands, queue):
    try:
        with queue.write() as tx:
            (id,) = prepare(tx, new_batch(), [hands.mail()], hands.now)
            raise KeyError
    except KeyError:
        pass
    assert hands.message(id) is None


def test_an_id_is_never_given_twice(hands):
    batch = new_batch()
    (first,) = prepare_some(hands, count=1, batch=batch)
    hands.do(discard, batch)
    (second,) = hands.send()
    assert int(second) > int(first)


def known(hands, batch, **facts):
    """A batch with mail, of which this is known."""
    prepare_some(hands, batch=batch)
    found = Batch(batch, "a process", **facts)
    hands.do(remember_batch, found)
    return found


def rows_of_batches(tx):
    return tx.exec_driver_sql("SELECT count(*) FROM maildrop_batch").scalar()


def test_what_is_known_of_a_batch_is_there_until_its_transaction_has_ended(hands):
    released, discarded = (known(hands, new_batch()) for _ in range(2))
    found = hands.do(open_batches)
    assert sorted(found, key=str) == sorted([released, discarded], key=str)
    hands.do(release, released.batch)
    hands.do(discard, discarded.batch)
    assert hands.do(open_batches) == []
    assert hands.do(rows_of_batches) == 0


def test_the_vote_replaces_what_was_known(hands):
    batch = known(hands, new_batch()).batch
    voted = Batch(batch, "another process", voted=True, log="there")
    hands.do(remember_batch, voted)
    assert hands.do(open_batches) == [voted]


def test_a_batch_is_whole_with_just_its_mail(hands):
    batch = new_batch()
    prepare_some(hands, batch=batch)
    prepare_some(hands, count=1, batch=new_batch())
    hands.do(check_whole, batch, 3)
    for expected in (2, 4):
        with pytest.raises(BatchTorn):
            hands.do(check_whole, batch, expected)


def test_a_person_is_shown_the_oldest_batch_first_and_whose_transaction_runs(hands):
    newer, older = new_batch(), new_batch()
    prepare_some(hands, batch=newer)
    hands.do(remember_batch, Batch(newer, own_identity()))
    hands.now -= 60
    prepare_some(hands, batch=older)
    prepare_some(hands, batch=f"{MOVING}queued-mark")
    found = [(each.batch, each.running) for each in hands.do(prepared_batches)]
    assert found == [(older, False), (newer, True)]


def test_a_savepoint_that_is_rolled_back_forgets_nothing(hands):
    batch = known(hands, new_batch())
    hands.do(discard, batch.batch, 1)
    assert hands.do(open_batches) == [batch]


def test_what_a_person_has_decided_mail_by_mail_is_forgotten_in_time(hands):
    batch = new_batch()
    known(hands, batch)
    waiting = known(hands, new_batch())
    with hands.queue.read() as tx:
        ids = [each.id for each in list_messages(tx) if each.batch == batch]
    hands.do(release_messages, ids)
    assert hands.do(open_batches) == [waiting]
    hands.do(prune, hands.now, 30, 0)
    assert hands.do(open_batches) == [waiting]
    assert hands.do(rows_of_batches) == 1
