"""A process is forked amid a transaction that lasts: the child writes nothing."""

from __future__ import annotations

import os
import signal
import threading

import pytest
from engine.queue.mails import length
from engine.queue.sqlite.forking import (
    Signal,
    fork,
    in_child,
    status_of,
    thread,
    written_to,
)
from waiting import PATIENCE_SECONDS

from collective.maildrophost.engine.queue import QueueError, enqueue, open_queue, tidy
from collective.maildrophost.engine.queue.sqlite import connection, lock

REFUSAL = "forked while a thread of its parent used the queue"


@pytest.fixture(autouse=True)
def impatient(monkeypatch):
    monkeypatch.setattr(connection, "PATIENCE_SECONDS", 0.2)


def assert_refused(queue):
    def open_anew():
        open_queue(queue.url)

    for use in (lambda: length(queue), queue.write().__enter__, open_anew):
        with pytest.raises(QueueError, match=REFUSAL):
            use()
    with pytest.raises(QueueError, match=REFUSAL):
        tidy(queue)


def test_a_fork_waits_for_no_thread_that_hangs_in_opening_a_queue(
    hands, queue, monkeypatch
):
    opening, over = threading.Event(), threading.Event()

    def hang(path):
        opening.set()
        over.wait(PATIENCE_SECONDS)

    def be_refused():
        monkeypatch.undo()
        signal.alarm(int(PATIENCE_SECONDS))
        assert_refused(queue)

    queue.close()
    monkeypatch.setattr(connection, "file_identity", hang)
    with thread(lambda: tidy(queue)):
        try:
            assert opening.wait(PATIENCE_SECONDS)
            assert in_child(be_refused) == 0
        finally:
            over.set()
    monkeypatch.undo()
    hands.send()


def test_a_fork_leaves_no_thread_of_the_parent_waiting(hands, queue):
    sent = threading.Event()

    def send():
        hands.send()
        sent.set()

    with written_to(queue, hands):
        status_of(fork(lambda: None))
    with thread(send):
        assert sent.wait(PATIENCE_SECONDS)


def not_waited_for(seconds):
    os._exit(3)


def test_a_child_refuses_a_queue_that_its_parent_was_writing_to(
    hands, queue, monkeypatch
):
    """It holds nothing that would keep others from removing what it writes."""
    monkeypatch.setattr(lock, "BUSY_TIMEOUT_SECONDS", 5)
    ended = Signal()

    def be_refused():
        ended.wait()
        assert_refused(queue)
        monkeypatch.setattr(connection, "PATIENCE_SECONDS", PATIENCE_SECONDS)
        monkeypatch.setattr(connection, "pause", not_waited_for)
        assert in_child(lambda: assert_refused(queue)) == 0, "nor does its own child"

    with written_to(queue, hands) as written:
        child = fork(be_refused)
        assert not written.is_set(), "the fork was held up"
    ended.say()
    assert status_of(child) == 0
    hands.send()
    assert length(queue) == 2


def test_a_child_that_refuses_a_queue_uses_another_one(hands, queue, tmp_path):
    def use_another():
        assert length(open_queue(f"sqlite:///{tmp_path}/another/queue.db")) == 0

    with written_to(queue, hands):
        assert in_child(use_another) == 0


def test_the_transaction_in_which_a_process_is_forked_is_its_parents(hands, queue):
    child = os.getpid()
    try:
        with queue.write() as tx:
            enqueue(tx, [hands.mail()], hands.now)
            child = os.fork()
    except QueueError as error:
        if child == 0:
            os._exit(REFUSAL not in str(error))
        raise
    finally:
        if child == 0:
            os._exit(2)
    assert status_of(child) == 0
    assert length(queue) == 1
