"""A queue moves to another database: nothing is lost, nothing is sent twice."""

from __future__ import annotations

import sys
from contextlib import closing

import pytest
from daemons import daemon_seen

from collective.maildrophost.engine.message import Lane
from collective.maildrophost.engine.queue import (
    QueueError,
    State,
    all_daemons,
    aside_length,
    attempts,
    claim,
    content,
    delete_messages,
    held_lanes,
    hold_lane,
    hold_messages,
    in_doubt,
    list_messages,
    open_queue,
    prepare,
    prune_files,
    register,
    release_messages,
    transfer,
)
from collective.maildrophost.engine.queue.leftalone import BeingMoved
from collective.maildrophost.engine.system.identity import process_identity
from collective.maildrophost.engine.verdict import Outcome

DAY = 86400.0
HAS_ENDED = process_identity().rpartition(" ")[0] + " 1"
"""The process that had this one's id before it."""
# In the package that name is the function.
module = sys.modules[transfer.__module__]


@pytest.fixture
def source(hands, queue):
    return queue


@pytest.fixture
def target(request, tmp_path):
    """A queue on the other kind of database."""
    ours = request.getfixturevalue("url")
    if ours.startswith("sqlite"):
        target = open_queue(request.getfixturevalue("postgresql_url"))
    else:
        target = open_queue(f"sqlite:///{tmp_path}/target/queue.db")
    yield target
    target.close()


@pytest.fixture
def there(hands, target):
    return type(hands)(target)


def everything(queue):
    """All messages without their ids, with content and attempts."""
    with queue.read() as tx:
        return [
            (
                {**record.as_json(), "id": ""},
                content(tx, record.id),
                [each.as_json() for each in attempts(tx, record.id)],
            )
            for record in sorted(list_messages(tx), key=lambda each: int(each.id))
        ]


def fill(hands):
    """A message in each state that moves."""
    ids = hands.send(
        hands.mail("b@x.org", "c@x.org", subject="tried"),
        hands.mail(subject="failed"),
        hands.mail(subject="fresh", lane=Lane.BULK),
        hands.mail(subject="held"),
        hands.mail(subject="later", at=hands.now + 500),
    )
    hands.do(hold_messages, [ids[3]])
    tried, failed, *_ = hands.claim()
    hands.settle(tried, Outcome.SENT, Outcome.DEFERRED, duplicate=True)
    hands.settle(failed, Outcome.FAILED)
    hands.do(give_back_all)
    return ids


def give_back_all(tx):
    tx.exec_driver_sql(
        "UPDATE maildrop_schedule SET state = 'queued', owner = NULL "
        "WHERE state = 'sending'"
    )


def test_a_message_that_moves_keeps_everything_but_its_id(hands, source, there, target):
    fill(hands)
    before = everything(source)
    done = transfer(source, target, hands.now)
    assert (done.moved.total(), done.left) == (5, {})
    assert everything(source) == []
    assert everything(target) == before
    ids = tuple(each.id for each in there.do(list_messages))
    assert there.do(delete_messages, ids).changed == ids


def test_a_transfer_goes_on_where_it_was_broken_off(hands, source, target, monkeypatch):
    monkeypatch.setattr(module, "AT_ONCE", 2)
    fill(hands)
    before = everything(source)
    write, calls = module._write, []

    def dies_after_its_commit(tx, rows, now):
        calls.append(rows)
        if len(calls) == 2:
            raise KeyboardInterrupt
        return write(tx, rows, now)

    monkeypatch.setattr(module, "_write", dies_after_its_commit)
    with pytest.raises(KeyboardInterrupt):
        transfer(source, target, hands.now)
    monkeypatch.undo()
    done = transfer(source, target, hands.now)
    assert done.moved.total() == 3
    assert everything(target) == before


def test_a_crash_between_the_two_commits_duplicates_nothing(
    hands, source, there, target, monkeypatch
):
    fill(hands)
    before = everything(source)

    def dies(*_):
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(module, "delete", dies)
        with pytest.raises(KeyboardInterrupt):
            transfer(source, target, hands.now)
    # It is in both now, nobody sends it from the old one, and nobody can say so.
    assert hands.claim() == []
    ids = [each.id for each in hands.do(list_messages)]
    assert hands.do(in_doubt, hands.now + DAY) == 0
    assert hands.do(aside_length) == len(ids)
    for act in (release_messages, delete_messages):
        done = hands.do(act, ids)
        assert (done.changed, list(done.refused)) == ((), ids)
        assert set(done.refused.values()) == {BeingMoved()}
    there.do(prune_files, hands.now + 6 * DAY)
    assert transfer(source, target, hands.now).moved.total() == 0
    assert hands.do(aside_length) == 0
    assert everything(source) == []
    assert everything(target) == before


def test_where_the_new_queue_is_gone_for_good_another_one_takes_all(
    hands, source, target, tmp_path, monkeypatch
):
    fill(hands)
    before = everything(source)
    with monkeypatch.context() as patched:
        patched.setattr(module, "_write", gone)
        with pytest.raises(QueueError):
            transfer(source, target, hands.now)
    with closing(open_queue(f"sqlite:///{tmp_path}/another/queue.db")) as another:
        assert transfer(source, another, hands.now).moved.total() == len(before)
        assert everything(another) == before


def gone(tx, rows, now):
    raise QueueError("the new one", "its disk is broken")


def test_what_is_being_sent_or_in_doubt_stays_and_is_reported(hands, source, target):
    hands.send()
    hands.claim()
    hands.do(prepare, "batch", [hands.mail(subject="doubt")], hands.now)
    done = transfer(source, target, hands.now)
    assert done.moved.total() == 0
    assert done.left == {State.SENDING: 1, State.PREPARED: 1}
    assert everything(target) == []


def test_what_a_killed_daemon_had_in_flight_moves_as_a_possible_duplicate(
    hands, source, there, target
):
    """Nobody may start another one on the old queue, which would give it back."""
    hands.do(register, daemon_seen(hands.now, owner="killed", process=HAS_ENDED))
    running = daemon_seen(hands.now, owner="runs", process=process_identity())
    hands.do(register, running)
    hands.send(hands.mail(subject="one"), hands.mail(subject="two"))
    hands.claim("killed", limit=1)
    hands.claim("runs")
    done = transfer(source, target, hands.now)
    assert (done.moved, done.left) == ({State.QUEUED: 1}, {State.SENDING: 1})
    (moved,) = there.claim()
    assert moved.header_id == "<one@x>"
    assert there.message(moved.id).possible_duplicate
    assert hands.do(all_daemons) == [running]


def test_what_a_daemon_claims_meanwhile_stays(
    hands, source, there, target, monkeypatch
):
    claimed, _other = hands.send(hands.mail(subject="one"), hands.mail(subject="two"))
    put_aside = module._put_aside

    def claim_one_and_put_aside(tx, keys):
        claim(tx, "one", [int(claimed)], hands.now)
        put_aside(tx, keys)

    monkeypatch.setattr(module, "_put_aside", claim_one_and_put_aside)
    done = transfer(source, target, hands.now)
    assert (done.moved, done.left) == ({State.QUEUED: 1}, {State.SENDING: 1})
    assert hands.message(claimed).state is State.SENDING
    assert [each.header_id for each in there.claim()] == ["<two@x>"]


def test_mail_that_comes_meanwhile_is_left_to_another_run(
    hands, source, target, monkeypatch
):
    monkeypatch.setattr(module, "AT_ONCE", 1)
    hands.send(hands.mail(), hands.mail())
    told = []

    def send_more(done, total):
        told.append((done, total))
        # It would go on for ever.
        if done <= total:
            hands.send()

    assert transfer(source, target, hands.now, send_more).moved.total() == 2
    assert told == [(0, 2), (1, 2), (2, 2)]
    assert len(hands.claim()) == 3


def test_a_held_lane_is_held_in_the_new_queue(hands, source, there, target):
    hands.do(hold_lane, Lane.BULK)
    hands.send(hands.mail(lane=Lane.BULK))
    transfer(source, target, hands.now)
    assert there.do(held_lanes) == (Lane.BULK,)
    assert there.claim() == []


def test_the_same_id_of_another_queue_is_another_message(
    hands, source, there, target, tmp_path
):
    hands.send(hands.mail(subject="one"))
    transfer(source, target, hands.now)
    other = open_queue(f"sqlite:///{tmp_path}/other/queue.db")
    assert type(hands)(other).send(hands.mail(subject="two")) == ("1",)
    assert transfer(other, target, hands.now).moved == {State.QUEUED: 1}
    other.close()
    assert len(there.claim()) == 2


def test_mail_that_came_back_with_its_old_id_is_moved_once_more(
    hands, source, target, tmp_path
):
    fill(hands)
    before = everything(source)
    transfer(source, target, hands.now)
    # Whoever tries a move begins with an empty queue, and so with the first id.
    with closing(open_queue(f"sqlite:///{tmp_path}/back/queue.db")) as back:
        transfer(target, back, hands.now)
        assert transfer(back, target, hands.now).moved.total() == len(before)
    assert everything(target) == before


def test_a_target_that_cannot_be_written_loses_nothing(hands, source, target):
    fill(hands)
    before = everything(source)
    with target.write() as tx:
        tx.exec_driver_sql("DROP TABLE maildrop_attempt")
    with pytest.raises(QueueError):
        transfer(source, target, hands.now)
    with source.read() as tx:
        assert len(list_messages(tx)) == len(before)


def test_contents_are_in_memory_only_as_far_as_there_is_room(
    hands, source, target, monkeypatch
):
    large, small = 40_000, 1_000
    monkeypatch.setattr(module, "MOST_OCTETS", 2 * large)
    portions = []
    write = module._write

    def measure_and_write(tx, rows, now):
        portions.append([row["size"] > large for row in rows])
        return write(tx, rows, now)

    monkeypatch.setattr(module, "_write", measure_and_write)
    for octets in (small, large, large, small, 3 * large, small, small):
        hands.send(hands.mail(octets=octets))
    before = everything(source)
    transfer(source, target, hands.now)
    assert everything(target) == before
    assert portions == [[False, True], [True, False], [True], [False, False]]
