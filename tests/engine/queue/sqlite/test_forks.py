"""A process that has a queue in a file open is forked: no mail of either gets lost."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from types import SimpleNamespace

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

from collective.maildrophost.engine.queue import enqueue, queue_length, tidy
from collective.maildrophost.engine.queue.sqlite import connection

LENGTH = """
import sys
from contextlib import closing
from collective.maildrophost.engine.queue import open_queue, queue_length
with closing(open_queue(sys.argv[1])) as queue, queue.read() as tx:
    print(queue_length(tx))
"""


@pytest.fixture(autouse=True)
def patient(monkeypatch):
    """A transaction may take its time on a busy machine."""
    monkeypatch.setattr(connection, "PATIENCE_SECONDS", PATIENCE_SECONDS)


def seen_by_another_program(queue):
    """How many mails it finds: it opens the queue, looks and closes it again."""
    command = [sys.executable, "-c", LENGTH, queue.url]
    return int(subprocess.run(command, capture_output=True, check=True).stdout)


def test_mail_of_a_child_is_kept_when_its_parent_closes_the_queue(hands, queue):
    sent, closed = Signal(), Signal()

    def send():
        hands.send()
        sent.say()
        closed.wait()
        hands.send()

    hands.send()
    child = fork(send)
    sent.wait()
    queue.close()
    assert seen_by_another_program(queue) == 2
    closed.say()
    assert status_of(child) == 0
    assert seen_by_another_program(queue) == 3


def test_mail_of_a_child_is_kept_when_its_parent_is_killed(hands, queue):
    sent, killed, sent_again = Signal(), Signal(), Signal()

    def send():
        hands.send()
        sent.say()
        killed.wait()
        hands.send()
        sent_again.say()

    def have_a_child():
        hands.send()
        fork(send)
        signal.pause()

    parent = fork(have_a_child)
    try:
        sent.wait()
    finally:
        os.kill(parent, signal.SIGKILL)
        assert status_of(parent) == -signal.SIGKILL
    assert seen_by_another_program(queue) == 2
    killed.say()
    sent_again.wait()
    assert seen_by_another_program(queue) == 3


def test_parent_child_and_grandchild_write_side_by_side(hands, queue):
    def send_and_fork():
        hands.send()
        assert in_child(hands.send) == 0
        hands.send()

    hands.send()
    assert in_child(send_and_fork) == 0
    hands.send()
    assert length(queue) == 5


def test_a_fork_waits_for_the_transactions_of_other_threads(hands, queue, monkeypatch):
    began, fork_waits = threading.Event(), threading.Event()
    really = connection.pause

    def pause(seconds):
        fork_waits.set()
        really(seconds)

    def read():
        with queue.read() as tx:
            queue_length(tx)
            began.set()
            fork_waits.wait(PATIENCE_SECONDS)

    def write():
        with queue.write() as tx:
            enqueue(tx, [hands.mail()], hands.now)
            began.set()
            fork_waits.wait(PATIENCE_SECONDS)

    monkeypatch.setattr(connection, "pause", pause)
    for work in read, write:
        began.clear()
        fork_waits.clear()
        with thread(work):
            assert began.wait(PATIENCE_SECONDS)
            assert in_child(hands.send) == 0
            assert fork_waits.is_set()
    assert length(queue) == 3


def test_a_queue_that_was_closed_amid_a_transaction_can_be_used_after_a_fork(
    hands, queue
):
    with written_to(queue, hands):
        queue.close()
    assert in_child(hands.send) == 0
    assert length(queue) == 2


def test_a_thread_that_reads_again_and_again_holds_up_no_fork(queue, monkeypatch):
    over = threading.Event()
    ended, while_forking = [], []

    def read():
        while not over.is_set():
            length(queue)
            ended.append(queue)

    def pause(seconds, really=connection.pause):
        """The fork waits for a transaction to end."""
        while_forking.append(len(ended))
        really(seconds)

    monkeypatch.setattr(connection, "pause", pause)
    with thread(read):
        try:
            for _ in range(20):
                while_forking.clear()
                assert in_child(lambda: length(queue)) == 0
                # The transaction that has begun ends, and no other begins.
                assert len(set(while_forking)) <= 2
        finally:
            over.set()


def test_no_thread_opens_a_queue_while_a_fork_is_under_way(hands, queue, monkeypatch):
    opened = threading.Event()
    done, threads = [], []

    def look():
        tidy(queue)
        opened.set()

    def pause(seconds):
        """The fork has closed what there was, and waits."""
        if not threads:
            threads.append(threading.Thread(target=look))
            threads[0].start()
            done.append(opened.wait(0.1))

    monkeypatch.setattr(connection, "pause", pause)
    # It waits no longer than that, however long that takes.
    clock = SimpleNamespace(monotonic=lambda: 1e9 * len(done))
    monkeypatch.setattr(connection, "time", clock)
    with written_to(queue, hands):
        status_of(fork(lambda: None))
    threads[0].join()
    assert done == [False]
    assert opened.is_set()
