"""The daemon is woken by mail, and stands for the thread that a MailHost has."""

from __future__ import annotations

import threading
import time

import pytest
import transaction
from daemons import daemon_seen

from collective.maildrophost.engine.doorbell import listen
from collective.maildrophost.engine.queue import register
from collective.maildrophost.engine.system import identity


@pytest.fixture
def doorbell(queue, configuration):
    """The doorbell of a daemon that works on the queue."""
    bell = listen(configuration.home)
    with queue.write() as tx:
        register(tx, daemon_seen(time.time(), doorbell=str(bell.path)))
    yield bell
    bell.close()


def rung(bell):
    try:
        return bool(bell._socket.recv(16))
    except BlockingIOError:
        return False


@pytest.mark.parametrize("alone", [True, False])
def test_a_commit_wakes_the_daemon(root, send, doorbell, alone):
    send(root.host)
    if not alone:
        root.counter += 1
    assert not rung(doorbell)
    transaction.commit()
    assert rung(doorbell)


def test_an_abort_wakes_nobody(host, send, doorbell):
    send(host)
    transaction.abort()
    assert not rung(doorbell)


def test_mail_queued_at_once_wakes_the_daemon_at_once(host, send, doorbell):
    host.setTransactional(False)
    send(host)
    assert rung(doorbell)


def test_length_and_daemon_are_those_of_the_queue(host, send, doorbell):
    assert host.queueLength() == 0
    send(host)
    transaction.commit()
    assert host.queueLength() == 1
    assert host.queueThreadAlive() is True


def test_without_a_daemon_nobody_works_on_the_queue(host, queue):
    assert host.queueThreadAlive() is False


def test_a_daemon_that_was_killed_works_no_more(host, doorbell, monkeypatch):
    assert host.queueThreadAlive() is True
    monkeypatch.setattr(identity, "fate", lambda process, here: identity.Fate.ENDED)
    assert host.queueThreadAlive() is False


def test_what_keeps_threads_of_zope_from_delivering_does_not_stop_the_daemon(
    host, send, doorbell, monkeypatch
):
    monkeypatch.setenv("MAILHOST_QUEUE_ONLY", "1")
    assert host.queueNonDeliveryMode() is False
    send(host)
    transaction.commit()
    assert rung(doorbell)


def test_the_length_of_a_queue_that_does_not_answer_is_the_reason(
    host, tmp_path, monkeypatch
):
    monkeypatch.setenv("MAILDROP_CONFIG", str(tmp_path / "missing.conf"))
    assert "missing.conf" in host.queueLength()
    assert host.queueThreadAlive() is False


def test_no_delivery_thread_is_ever_started(host, send):
    before = set(threading.enumerate())
    host._startQueueProcessorThread()
    host.manage_restartQueueThread("start")
    send(host)
    transaction.commit()
    # What other tests have left may end any time.
    assert set(threading.enumerate()) <= before
