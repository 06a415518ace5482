"""The queues of a process: one for each URL, and nobody waits for another's."""

from __future__ import annotations

import threading

import pytest
from waiting import PATIENCE_SECONDS

from collective.maildrophost import queues
from collective.maildrophost.engine.queue import Queue, QueueError, open_queue

SILENT = "postgresql+psycopg://maildrop@silent.example.org/maildrop"
THREADS = 4


@pytest.fixture
def url(tmp_path, monkeypatch):
    monkeypatch.setattr(queues, "_open", {})
    return f"sqlite:///{tmp_path}/queue.db"


@pytest.fixture
def silent(monkeypatch):
    """Opens everything but SILENT: that waits for all threads to ask, then refuses."""
    asking = threading.Barrier(THREADS)

    def opened(wanted):
        if wanted == SILENT:
            asking.wait(PATIENCE_SECONDS)
            raise QueueError(wanted, "it does not answer")
        return open_queue(wanted)

    monkeypatch.setattr(queues, "open_queue", opened)
    return asking


def test_a_server_that_does_not_answer_keeps_no_other_queue_from_being_used(
    url, silent
):
    asking = threading.Thread(target=refused)
    asking.start()
    try:
        with queues.queue_at(url).read():
            assert asking.is_alive()
    finally:
        silent.abort()
        asking.join()


def test_all_who_want_the_queue_that_does_not_answer_are_refused_at_the_same_time(
    url, silent, in_threads
):
    in_threads(THREADS, lambda number: refused())
    assert not silent.broken


def refused():
    try:
        queues.queue_at(SILENT)
    except (QueueError, threading.BrokenBarrierError):
        return
    raise AssertionError("it was opened")


def test_all_threads_share_one_queue_however_many_have_opened_it(
    url, monkeypatch, in_threads
):
    together = threading.Barrier(THREADS)
    opened, closed, given = [], [], []

    def opened_together(wanted):
        queue = open_queue(wanted)
        opened.append(queue)
        together.wait(PATIENCE_SECONDS)
        return queue

    monkeypatch.setattr(queues, "open_queue", opened_together)
    monkeypatch.setattr(Queue, "close", lambda queue: closed.append(queue))
    in_threads(THREADS, lambda number: given.append(queues.queue_at(url)))

    (kept,) = set(given)
    assert kept is queues.queue_at(url)
    assert len(opened) == THREADS
    assert set(closed) == set(opened) - {kept}
