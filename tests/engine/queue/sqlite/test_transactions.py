"""What is written to a queue on SQLite stays, or leaves nothing behind."""

from __future__ import annotations

import resource
import sqlite3

import pytest

from collective.maildrophost.engine.message import Lane
from collective.maildrophost.engine.queue import (
    QueueError,
    Refused,
    Unheard,
    claim,
    due,
    enqueue,
    next_due,
    open_queue,
    queue_length,
)
from collective.maildrophost.engine.queue.rounds import round_began
from collective.maildrophost.engine.verdict import Outcome


def test_every_connection_syncs_every_commit(queue):
    for transaction in (queue.read, queue.write):
        with transaction() as tx:
            assert tx.exec_driver_sql("PRAGMA journal_mode").scalar() == "wal"
            assert tx.exec_driver_sql("PRAGMA synchronous").scalar() == 2
            assert tx.exec_driver_sql("PRAGMA foreign_keys").scalar() == 1


def test_mail_is_there_when_the_queue_is_opened_again(hands, queue):
    hands.send()
    queue.close()
    again = open_queue(queue.url)
    with again.read() as tx:
        assert queue_length(tx) == 1
    again.close()


def test_a_full_disk_is_an_error_that_leaves_nothing_half_done(hands, queue):
    big = hands.mail(subject="big")
    big = type(big)(**{**big.__dict__, "content": b"x" * 1_000_000})

    def write(tx):
        tx.exec_driver_sql("PRAGMA max_page_count = 60")
        enqueue(tx, [hands.mail(), big], hands.now)

    with pytest.raises(QueueError, match="disk is full") as caught:
        hands.do(write)
    assert not isinstance(caught.value, Refused), "another mail would fare no better"
    queue.close()
    assert hands.claim() == []
    hands.send(big)


def test_a_commit_that_ends_its_connection_is_reported_with_its_reason(
    queue, monkeypatch
):
    """PostgreSQL may say why it has not committed, and then be gone."""

    def commit(_connection):
        raise sqlite3.OperationalError("no space left")

    dialect = queue._engine.dialect
    monkeypatch.setattr(dialect, "is_disconnect", lambda *_: True)
    monkeypatch.setattr(dialect, "do_commit", commit)
    with pytest.raises(QueueError, match="no space left"), queue.write():
        pass


def test_a_commit_that_is_refused_has_not_happened_and_locks_nothing(hands, queue):
    def leave_recipients_without_their_message():
        with queue.write() as tx:
            tx.exec_driver_sql("PRAGMA defer_foreign_keys = ON")
            tx.exec_driver_sql("UPDATE maildrop_message SET id = id + 1")

    hands.send()
    with pytest.raises(QueueError) as caught:
        leave_recipients_without_their_message()
    assert not isinstance(caught.value, Unheard)
    hands.send()
    with queue.read() as tx:
        assert queue_length(tx) == 2


@pytest.mark.parametrize(
    ("value", "kind"), [("pa\udce9ss", "UnicodeEncodeError"), (2**64, "OverflowError")]
)
def test_a_value_that_cannot_be_stored_is_refused_and_not_quoted(queue, value, kind):
    with (
        pytest.raises(Refused, match="cannot be stored") as caught,
        queue.write() as tx,
    ):
        tx.connection.cursor().execute("SELECT ?", (value,))
    assert str(caught.value).endswith(f"({kind})")


def test_a_used_up_quota_is_not_reported_as_a_broken_disk_alone(hands, path):
    """SQLite has a word of its own for ENOSPC only (os_unix.c: seekAndWrite)."""
    hands.send()
    size = path.with_name("queue.db-wal").stat().st_size
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        with pytest.raises(QueueError, match="or its quota is used up"):
            hands.send()
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


@pytest.fixture
def steps(queue):
    """How often SQLite takes a hundred steps for something."""

    def of(operation, *arguments):
        taken = 0

        def count():
            nonlocal taken
            taken += 1

        with queue.write() as tx:
            wire = tx.connection.dbapi_connection
            wire.set_progress_handler(count, 100)
            operation(tx, *arguments)
            wire.set_progress_handler(None, 0)
        return taken

    return of


def test_a_claim_costs_the_same_with_a_long_queue(hands, steps):
    hands.send(*[hands.mail() for _ in range(2000)])

    def claim_one(tx):
        claim(tx, "one", due(tx, 1, hands.now).lanes[Lane.NORMAL], hands.now)
        next_due(tx)

    # Reading all of the queue would be some hundred times a hundred steps.
    assert steps(claim_one) < 60


def test_a_claim_amid_a_round_costs_the_same_after_many_tries(hands, steps):
    (id,) = hands.send(hands.mail(*[f"r{number}@x.org" for number in range(900)]))
    hands.settle(hands.claim()[0], *[Outcome.DEFERRED] * 899, due=hands.now)
    assert hands.claim()[0].deferred
    # Reading all that was tried would be some fifty times a hundred steps.
    assert steps(round_began, int(id), hands.now) < 5
