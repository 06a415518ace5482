"""What a person does: what may be decided, and who is woken for it."""

from __future__ import annotations

import time

import pytest
from daemons import daemon_seen

from collective.maildrophost.engine import actions
from collective.maildrophost.engine.doorbell import listen
from collective.maildrophost.engine.message import Lane, compose
from collective.maildrophost.engine.queue import (
    Batch,
    Undecidable,
    enqueue,
    hold_messages,
    in_doubt,
    list_messages,
    new_batch,
    prepare,
    prepared_batches,
    register,
    remember_batch,
)
from collective.maildrophost.engine.queue.batches import MOVING
from collective.maildrophost.engine.system.identity import own_identity

NOW = 1_800_000_000.0


def mails(count):
    text = "Subject: hello\n\nbody\n"
    return [compose(text, "a@x.org", ["b@x.org"], now=NOW) for _ in range(count)]


def states(queue):
    with queue.read() as tx:
        return [each.state.value for each in list_messages(tx)]


@pytest.mark.parametrize("decide", [actions.release_batch, actions.discard_batch])
def test_nobody_decides_about_mail_that_is_being_moved(queue, decide):
    with queue.write() as tx:
        prepare(tx, f"{MOVING}queued", mails(2), NOW)
    with pytest.raises(Undecidable, match="is being moved to another queue"):
        decide(queue, f"{MOVING}queued")
    assert states(queue) == ["prepared"] * 2


def test_a_person_decides_about_a_batch(queue):
    released, discarded = new_batch(), new_batch()
    with queue.write() as tx:
        prepare(tx, released, mails(2), NOW)
        prepare(tx, discarded, mails(3), NOW)
    assert actions.release_batch(queue, released) == 2
    assert actions.discard_batch(queue, discarded) == 3
    assert states(queue) == ["queued"] * 2


RUNS = "belongs to a transaction that still runs"


@pytest.fixture
def running(queue):
    """Prepares mail of a transaction that this very process runs; the ids."""

    def running(batch, voted=False):
        with queue.write() as tx:
            remember_batch(tx, Batch(batch, own_identity(), voted))
            return prepare(tx, batch, mails(2), NOW)

    return running


@pytest.mark.parametrize("decide", [actions.release_batch, actions.discard_batch])
def test_nobody_decides_about_mail_whose_transaction_still_runs(queue, running, decide):
    running("newsletter")
    with pytest.raises(Undecidable, match=RUNS):
        decide(queue, "newsletter")
    assert states(queue) == ["prepared"] * 2


@pytest.mark.parametrize("action", ["release", "delete"])
def test_nobody_acts_on_messages_whose_transaction_still_runs(queue, running, action):
    ids = running("newsletter")
    done = actions.act(queue, action, ids)
    assert list(done.refused) == list(ids)
    assert RUNS in str(done.refused[ids[0]])
    assert states(queue) == ["prepared"] * 2


def test_a_person_may_decide_about_mail_whose_transaction_has_voted(queue, running):
    """Its process may live on although its finish broke, which nobody else can tell."""
    running("broken", voted=True)
    assert actions.release_batch(queue, "broken") == 2


@pytest.mark.parametrize(("voted", "count"), [(False, 0), (True, 2)])
def test_mail_is_in_doubt_when_it_waits_for_a_person(queue, running, voted, count):
    running("newsletter", voted)
    with queue.read() as tx:
        assert in_doubt(tx, NOW + 3600) == count
        (batch,) = prepared_batches(tx)
    assert batch.running is not voted


@pytest.fixture
def doorbell(queue, tmp_path):
    """The doorbell of a daemon that works on the queue."""
    bell = listen(tmp_path)
    with queue.write() as tx:
        register(tx, daemon_seen(time.time(), doorbell=str(bell.path)))
    yield bell
    bell.close()


def release_a_message(queue):
    with queue.write() as tx:
        ids = enqueue(tx, mails(1), NOW)
        hold_messages(tx, ids)
    assert actions.act(queue, "release", ids).changed == ids


def release_a_batch(queue):
    batch = new_batch()
    with queue.write() as tx:
        prepare(tx, batch, mails(1), NOW)
    actions.release_batch(queue, batch)


def release_a_lane(queue):
    actions.act_on_lane(queue, "release", Lane.BULK)


@pytest.mark.parametrize("action", [release_a_message, release_a_batch, release_a_lane])
def test_the_daemon_looks_at_once_at_what_a_person_has_done(queue, doorbell, action):
    action(queue)
    assert doorbell._socket.recv(16)
