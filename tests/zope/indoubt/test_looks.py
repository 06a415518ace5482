"""What a look costs, what one trouble costs the others, and what is remembered."""

from __future__ import annotations

import threading
from collections import deque
from types import SimpleNamespace

import pytest
import transaction
from datamanagers import AFTER_MAIL
from waiting import PATIENCE_SECONDS, wait_until

from collective.maildrophost import productconfig
from collective.maildrophost.engine.actions import discard_batch, release_batch
from collective.maildrophost.engine.queue import Batch, QueueError
from collective.maildrophost.indoubt import endings, resolver, storagelog
from collective.maildrophost.indoubt.decision import Decision
from collective.maildrophost.indoubt.doubt import Doubt
from collective.maildrophost.indoubt.resolver import Resolver


def test_no_log_is_read_for_what_is_known_here(unreleased, look, states, monkeypatch):
    monkeypatch.setattr(storagelog, "endings", None)
    look()
    assert states() == {"queued"}


def test_an_unexpected_error_of_one_queue_keeps_no_other_from_being_decided(
    unreleased, database, queue, states, monkeypatch, caplog
):
    bad = [f"sqlite:////nowhere/{number}.db" for number in range(9)]

    def fail(url):
        if url in bad:
            raise RuntimeError("broken")
        return True

    monkeypatch.setattr(resolver, "exists", fail)
    looks = Resolver(database.databases, lambda: [*bad, queue.url])
    looks.look()
    looks.look()
    assert states() == {"queued"}
    assert caplog.text.count("unexpected error while deciding") == len(bad)


@pytest.mark.parametrize("end", [release_batch, discard_batch])
def test_a_batch_that_somebody_else_has_ended_is_left_to_nobody(
    unreleased, queue, look, end
):
    end(queue, unreleased)
    assert unreleased in endings._left_undone[queue.url]
    look()
    assert endings._left_undone[queue.url] == {}
    assert unreleased in endings.known_here(queue.url)


@pytest.fixture
def looking(monkeypatch):
    """What starts the looks, and the threads in which they were made."""
    threads = []
    monkeypatch.setattr(
        resolver._Thread, "run", lambda _: threads.append(threading.current_thread())
    )
    return resolver._Looks(Resolver({}, list)), threads


def test_one_thread_looks_and_keeps_no_process_from_ending(looking):
    looks, threads = looking
    for _ in range(3):
        looks.begin()
    wait_until(lambda: threads)
    [thread] = threads
    assert thread.daemon


def test_no_look_is_under_way_when_the_interpreter_ends(monkeypatch):
    """It may hang as it ends while a thread works."""
    begun, goes_on, exits = threading.Event(), threading.Event(), []
    monkeypatch.setattr(resolver, "atexit", SimpleNamespace(register=exits.append))
    monkeypatch.setattr(resolver, "_of_zope", [])

    def look(self):
        begun.set()
        goes_on.wait(PATIENCE_SECONDS)

    monkeypatch.setattr(Resolver, "look", look)
    monkeypatch.setattr(resolver, "END_SECONDS", PATIENCE_SECONDS)
    before = set(threading.enumerate())
    resolver.start(SimpleNamespace(database=SimpleNamespace(databases={})))
    assert begun.wait(PATIENCE_SECONDS)
    [thread] = set(threading.enumerate()) - before
    threading.Timer(0.0, goes_on.set).start()
    [end] = exits
    end()
    assert not thread.is_alive()


def test_where_no_thread_can_be_had_a_later_one_looks(looking, monkeypatch):
    def refuse(thread):
        raise RuntimeError("can't start new thread")

    looks, threads = looking
    with monkeypatch.context() as full:
        full.setattr(threading.Thread, "start", refuse)
        with pytest.raises(RuntimeError):
            looks.begin()
    looks.begin()
    wait_until(lambda: threads)


def test_nothing_is_said_of_what_has_ended_well(root, send, look, states, caplog):
    root.counter += 1
    send(root.host)
    transaction.commit()
    look()
    assert states() == {"queued"}
    assert caplog.text == ""


def test_what_is_waited_for_is_left_alone_and_nothing_is_said_of_it(caplog):
    resolver._act(None, Batch("1", "p", voted=True), Decision.WAIT, Doubt())
    assert caplog.text == ""


def test_a_batch_that_ends_while_the_queue_is_read_is_left_to_whoever_ends_it(
    root, send, join, queue, look, states, monkeypatch
):
    def read(tx, really=resolver.open_batches):
        batches = really(tx)
        for each in batches:
            endings.done(queue.url, each.batch, endings.Ending.COMMITTED)
        return batches

    def look_between():
        look()
        assert states() == {"prepared"}

    monkeypatch.setattr(resolver, "open_batches", read)
    join(AFTER_MAIL, tpc_vote=look_between)
    root.counter += 1
    send(root.host)
    transaction.commit()
    assert states() == {"queued"}


def test_a_batch_that_cannot_be_released_yet_is_not_forgotten_for_later_ones(
    unreleased, look, states, monkeypatch
):
    def refuse(queue, batch, end):
        raise QueueError(queue.name, "is locked")

    monkeypatch.setattr(endings, "_done", deque(maxlen=0))
    with monkeypatch.context() as locked:
        locked.setattr(resolver, "end_batch", refuse)
        look()
    look()
    assert states() == {"queued"}


def test_a_configuration_that_cannot_be_read_hides_no_queue(
    configuration, monkeypatch, tmp_path
):
    other = tmp_path / "other.conf"
    other.write_text(f'MAILDROP_HOME="{tmp_path}/other"\n')
    for key, path in ("broken", "/nowhere/maildrop.conf"), ("other", str(other)):
        monkeypatch.setitem(productconfig._added, key, path)
    queues = {configuration.queue, productconfig.configuration("other").queue}
    assert resolver._queue_urls() == queues
    assert len(queues) == 2
