"""While its process lives a batch is its own; what it could not end is ended later."""

from __future__ import annotations

import gc
import os
import signal
import threading
from types import SimpleNamespace

import pytest
import transaction
from datamanagers import AFTER_MAIL, AFTER_ZODB
from waiting import PATIENCE_SECONDS

from collective.maildrophost.engine.queue import QueueError
from collective.maildrophost.indoubt import endings, resolver
from collective.maildrophost.indoubt.endings import known_here
from collective.maildrophost.indoubt.resolver import Resolver
from collective.maildrophost.transaction import datamanager as spool


def states(mails):
    return [each.state.value for each in mails()]


def test_a_transaction_that_goes_on_is_left_alone(root, send, mails, join, look):
    def look_between():
        look()
        assert states(mails) == ["prepared"]

    join(AFTER_MAIL, tpc_vote=look_between)
    root.counter += 1
    send(root.host)
    transaction.commit()
    assert states(mails) == ["queued"]


def test_a_transaction_that_is_just_finishing_releases_its_own_mail(
    root, send, mails, join, look, caplog
):
    join(AFTER_ZODB, tpc_finish=look)
    root.counter += 1
    send(root.host)
    transaction.commit()
    assert states(mails) == ["queued"]
    assert caplog.text == ""


def test_mail_of_a_thread_that_died_amid_its_transaction_is_deleted(
    database, mails, send, look, monkeypatch
):
    monkeypatch.setattr(spool, "SPILL_MESSAGES", 1)

    def die():
        root = database.open().root
        root.counter += 1
        send(root.host)
        send(root.host)

    thread = threading.Thread(target=die)
    thread.start()
    thread.join()
    gc.collect()  # Otherwise its mail turns up in the log of another test.
    assert states(mails) == ["prepared"]
    look()
    assert states(mails) == []
    assert endings._unvoted == {}


@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")
def test_a_forked_process_ends_no_transaction_of_its_parent(
    database, queue, mails, send, monkeypatch
):
    monkeypatch.setattr(spool, "SPILL_MESSAGES", 1)
    go_on, spilled = threading.Event(), threading.Event()

    def send_slowly():
        root = database.open().root
        root.counter += 1
        send(root.host)
        send(root.host)
        spilled.set()
        go_on.wait(PATIENCE_SECONDS)
        transaction.commit()

    thread = threading.Thread(target=send_slowly)
    thread.start()
    assert spilled.wait(PATIENCE_SECONDS)
    if (pid := os.fork()) == 0:
        os._exit(len(known_here(queue.url)))
    _, status = os.waitpid(pid, 0)
    go_on.set()
    thread.join()
    assert os.waitstatus_to_exitcode(status) == 0
    assert states(mails) == ["queued", "queued"]


@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")
def test_a_forked_process_waits_for_no_thread_of_its_parent(queue):
    found, go_on = threading.Event(), threading.Event()

    def hold():
        with endings._lock:
            found.set()
            go_on.wait(PATIENCE_SECONDS)

    thread = threading.Thread(target=hold)
    thread.start()
    assert found.wait(PATIENCE_SECONDS)
    if (pid := os.fork()) == 0:
        signal.alarm(int(PATIENCE_SECONDS))
        os._exit(len(known_here(queue.url)))
    _, status = os.waitpid(pid, 0)
    go_on.set()
    thread.join()
    assert os.waitstatus_to_exitcode(status) == 0


def test_a_large_transaction_is_left_alone_before_its_vote(
    root, send, mails, look, monkeypatch
):
    monkeypatch.setattr(spool, "SPILL_MESSAGES", 1)
    root.counter += 1
    send(root.host)
    send(root.host)
    look()
    assert states(mails) == ["prepared"]
    transaction.commit()
    assert states(mails) == ["queued", "queued"]


def test_queues_out_of_reach_keep_no_other_from_being_decided(
    unreleased, database, queue, tmp_path, mails, caplog
):
    far = [f"sqlite:///{tmp_path}/{'x' * 300}/{number}.db" for number in range(9)]
    Resolver(database.databases, lambda: [*far, queue.url]).look()
    assert states(mails) == ["queued"]
    assert caplog.text.count("batches in doubt stay prepared") == len(far)


def test_each_trouble_of_a_queue_is_logged_once(queue, look, monkeypatch, caplog):
    def refuse(url):
        raise QueueError(url, "is locked")

    for _ in range(2):
        with monkeypatch.context() as trouble:
            trouble.setattr(resolver, "queue_at", refuse)
            for _ in range(3):
                look()
        look()
    assert caplog.text.count("batches in doubt stay prepared") == 2


def test_a_queue_that_nobody_has_made_yet_is_not_made_by_a_look(database, tmp_path):
    """It would belong to Zope's user, and the daemon's could not write it."""
    file = tmp_path / "queue.db"
    Resolver(database.databases, lambda: [f"sqlite:///{file}"]).look()
    assert not file.exists()


class Stopped(BaseException):
    """What ends a thread that goes on for ever."""


def test_looks_go_on_after_an_unexpected_error(monkeypatch, caplog):
    looks = []

    def look():
        looks.append(len(looks))
        raise (ValueError("broken"), KeyError("broken"), Stopped)[looks[-1]]

    monkeypatch.setattr(resolver, "LOOK_SECONDS", 0.0)
    with pytest.raises(Stopped):
        resolver._Thread(SimpleNamespace(look=look)).run()
    assert caplog.text.count("unexpected error while deciding") == 2


def test_what_could_not_be_released_goes_out_when_it_can_be(
    unreleased, mails, look, caplog
):
    assert states(mails) == ["prepared"]
    look()
    assert states(mails) == ["queued"]
    assert "has committed: its 1 mails are released" in caplog.text


def test_what_could_not_be_deleted_goes_when_it_can_be(
    root, send, mails, join, look, out_of_order
):
    break_it, mend = out_of_order

    def say_no():
        break_it()
        raise ValueError("no")

    join(AFTER_MAIL, tpc_vote=say_no)
    root.counter += 1
    send(root.host)
    with pytest.raises(ValueError, match="no"):
        transaction.commit()
    transaction.abort()
    mend()
    assert states(mails) == ["prepared"]
    look()
    assert states(mails) == []


class Interrupted(KeyboardInterrupt):
    """Somebody wants the process to end, but it goes on for a while."""


def test_what_was_interrupted_at_its_release_goes_out_while_the_process_lives(
    root, send, mails, look, monkeypatch
):
    def interrupt(tx, batch):
        raise Interrupted

    root.counter += 1
    send(root.host)
    with monkeypatch.context() as interrupted:
        interrupted.setattr(spool, "release", interrupt)
        with pytest.raises(Interrupted):
            transaction.commit()
    transaction.abort()
    assert states(mails) == ["prepared"]
    look()
    assert states(mails) == ["queued"]


def test_what_was_interrupted_at_its_deletion_goes_while_the_process_lives(
    root, send, mails, look, monkeypatch
):
    def interrupt(tx, batch):
        raise Interrupted

    monkeypatch.setattr(spool, "SPILL_MESSAGES", 1)
    send(root.host)
    send(root.host)
    with monkeypatch.context() as interrupted:
        interrupted.setattr(spool, "discard", interrupt)
        with pytest.raises(Interrupted):
            transaction.abort()
    assert states(mails) == ["prepared"]
    look()
    assert states(mails) == []


@pytest.fixture
def break_off(root, send, mails, join):
    """A transaction with a mail whose finish breaks: before or after ZODB's own."""

    def fail():
        raise ValueError("broken")

    def break_off(key):
        join(key, tpc_finish=fail)
        root.counter += 1
        send(root.host)
        with pytest.raises(ValueError, match="broken"):
            transaction.commit()
        transaction.abort()
        assert states(mails) == ["prepared"]

    return break_off


EITHER_WAY = pytest.mark.parametrize(
    ("key", "becomes"), [(AFTER_ZODB, ["queued"]), ("", [])], ids=["after", "before"]
)


@EITHER_WAY
def test_a_finish_that_breaks_is_decided_by_the_log(
    mails, break_off, look, key, becomes
):
    break_off(key)
    look()
    assert states(mails) == becomes


@EITHER_WAY
def test_what_the_log_has_told_is_done_when_the_queue_can_be_written_again(
    mails, break_off, look, monkeypatch, caplog, key, becomes
):
    def refuse(queue, batch, end):
        raise QueueError(queue.name, "the disk is full")

    break_off(key)
    with monkeypatch.context() as full:
        full.setattr(resolver, "end_batch", refuse)
        look()
    assert "the disk is full" in caplog.text
    assert states(mails) == ["prepared"]
    look()
    assert states(mails) == becomes
    assert "nobody can tell" not in caplog.text
