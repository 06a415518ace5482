"""Actions on all messages that match, in transactions of a bounded size."""

from __future__ import annotations

import pytest

from collective.maildrophost.engine import actions
from collective.maildrophost.engine.message import compose
from collective.maildrophost.engine.queue import (
    Search,
    State,
    crowd,
    enqueue,
    list_messages,
    new_batch,
    open_queue,
    prepare,
)
from collective.maildrophost.engine.queue.batches import MOVING

NOW = 1_800_000_000.0


@pytest.fixture
def queue(tmp_path):
    queue = open_queue(f"sqlite:///{tmp_path}/home/queue.db")
    yield queue
    queue.close()


def mails(count, recipient="b@x.org"):
    text = "Subject: hello\n\nbody\n"
    return [compose(text, "a@x.org", [recipient], now=NOW) for _ in range(count)]


def states(queue):
    with queue.read() as tx:
        return [each.state.value for each in list_messages(tx)]


def test_all_that_match_are_acted_on_in_several_transactions(queue, monkeypatch):
    monkeypatch.setattr(crowd, "AT_ONCE", 2)
    with queue.write() as tx:
        enqueue(tx, mails(5), NOW)
        enqueue(tx, mails(1, "other@x.org"), NOW)

    assert len(actions.act_on_all(queue, "hold", Search(text="b@x.org"))) == 5
    assert sorted(states(queue)) == ["held"] * 5 + ["queued"]
    assert len(actions.act_on_all(queue, "release", Search())) == 5
    assert len(actions.act_on_all(queue, "delete", Search(text="b@x.org"))) == 5
    assert states(queue) == ["queued"]


def test_mail_of_a_transaction_that_is_ending_goes_only_when_it_is_meant(queue):
    with queue.write() as tx:
        prepare(tx, new_batch(), mails(1), NOW)

    assert len(actions.act_on_all(queue, "delete", Search())) == 0
    assert states(queue) == ["prepared"]
    assert (
        len(actions.act_on_all(queue, "delete", Search(states=(State.PREPARED,)))) == 1
    )


@pytest.mark.parametrize("decide", [actions.release_batch, actions.discard_batch])
def test_nobody_decides_about_mail_that_is_being_moved(queue, decide):
    with queue.write() as tx:
        prepare(tx, f"{MOVING}queued", mails(2), NOW)
    assert decide(queue, f"{MOVING}queued") == 0
    assert states(queue) == ["prepared"] * 2


def test_a_person_decides_about_a_batch(queue):
    released, discarded = new_batch(), new_batch()
    with queue.write() as tx:
        prepare(tx, released, mails(2), NOW)
        prepare(tx, discarded, mails(3), NOW)
    assert actions.release_batch(queue, released) == 2
    assert actions.discard_batch(queue, discarded) == 3
    assert states(queue) == ["queued"] * 2
