"""A transaction with much mail keeps little of it in memory."""

from __future__ import annotations

import os
from contextlib import suppress

import pytest
import transaction
from datamanagers import AFTER_MAIL, AFTER_ZODB
from Products.MailHost.MailHost import MailHostError
from ZODB.POSException import ConflictError

from collective.maildrophost.transaction import datamanager as spool


@pytest.fixture(autouse=True)
def small_bounds(monkeypatch):
    monkeypatch.setattr(spool, "SPILL_MESSAGES", 3)


def numbered(first, last, state="queued"):
    return [(str(number), state) for number in range(first, last + 1)]


def test_mail_beyond_the_bound_is_prepared_in_the_queue(root, send, subjects, caplog):
    for number in range(1, 8):
        send(root.host, str(number))
    assert subjects() == numbered(1, 6, "prepared")
    transaction.commit()
    assert subjects() == numbered(1, 7)
    assert caplog.text == ""


def test_the_bound_counts_bytes_too(root, send, subjects, monkeypatch):
    monkeypatch.setattr(spool, "SPILL_BYTES", 1)
    send(root.host, "1")
    send(root.host, "2")
    assert subjects() == numbered(1, 1, "prepared")


def test_the_bound_counts_what_waits_with_what_is_added(root, subjects, monkeypatch):
    monkeypatch.setattr(spool, "SPILL_MESSAGES", 100)
    monkeypatch.setattr(spool, "SPILL_BYTES", 25_000)
    for number in (1, 2, 3, 4):
        text = f"Subject: {number}\n\n{'x' * 10_000}\n"
        root.host.send(text, "to@example.org", "from@example.org")
    assert subjects() == numbered(1, 2, "prepared")


def test_an_abort_deletes_what_was_prepared(root, send, subjects):
    for number in range(7):
        send(root.host, str(number))
    transaction.abort()
    assert subjects() == []


@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")
def test_a_fork_that_begins_anew_leaves_the_mail_to_its_parent(root, send, subjects):
    for number in range(1, 6):
        send(root.host, str(number))
    if (pid := os.fork()) == 0:
        transaction.begin()
        os._exit(0)
    os.waitpid(pid, 0)
    transaction.commit()
    assert subjects() == numbered(1, 5)


def refuse():
    raise ConflictError


@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")
def test_a_fork_whose_commit_fails_takes_back_what_it_has_written(
    root, send, subjects, join
):
    send(root.host, "of the parent")
    if (pid := os.fork()) == 0:
        send(root.host, "of the child")
        join(AFTER_MAIL, tpc_vote=refuse)
        with suppress(ConflictError):
            transaction.commit()
        transaction.abort()
        os._exit(0)
    os.waitpid(pid, 0)
    transaction.commit()
    assert subjects() == [("of the parent", "queued")]


def loses(queue, subject):
    """The queue's newest commits are gone, as after a failover to a standby."""
    with queue.write() as tx:
        tx.exec_driver_sql(f"DELETE FROM maildrop_message WHERE subject = '{subject}'")


def test_a_transaction_fails_when_the_queue_has_lost_some_of_its_mail(
    database, root, send, queue, subjects
):
    root.counter += 1
    for number in range(1, 6):
        send(root.host, str(number))
    loses(queue, "2")
    with pytest.raises(MailHostError, match="has 4 of the 5 mails of this transaction"):
        transaction.commit()
    transaction.abort()
    assert subjects() == []
    with database.transaction() as connection:
        assert connection.root.counter == 0


def test_a_transaction_of_mail_alone_fails_when_the_queue_has_lost_some_of_it(
    root, send, queue, subjects
):
    for number in range(1, 6):
        send(root.host, str(number))
    loses(queue, "2")
    with pytest.raises(MailHostError, match="has 2 of the 3 mails of this transaction"):
        transaction.commit()
    transaction.abort()
    assert subjects() == []


def test_mail_that_is_lost_between_the_phases_is_told(
    root, send, queue, subjects, join, caplog
):
    root.counter += 1
    for subject in ("1", "2"):
        send(root.host, subject)
    join(AFTER_ZODB, tpc_finish=lambda: loses(queue, "2"))
    transaction.commit()
    assert subjects() == [("1", "queued")]
    assert "only 1 of its 2 mails were there to be released" in caplog.text


def test_a_rollback_reaches_into_what_was_prepared(root, send, subjects):
    for number in (1, 2):
        send(root.host, str(number))
    savepoint = transaction.savepoint()
    for number in range(10, 18):
        send(root.host, str(number))
    assert len(subjects()) == 9
    savepoint.rollback()
    assert subjects() == numbered(1, 2, "prepared")
    for number in range(3, 8):
        send(root.host, str(number))
    transaction.commit()
    assert subjects() == numbered(1, 7)


def test_a_rollback_within_memory_leaves_the_prepared_alone(root, send, subjects):
    for number in range(1, 5):
        send(root.host, str(number))
    savepoint = transaction.savepoint()
    send(root.host, "taken back")
    savepoint.rollback()
    transaction.commit()
    assert subjects() == numbered(1, 4)


def test_a_rollback_of_all_leaves_nothing_behind(root, send, subjects):
    savepoint = transaction.savepoint()
    for number in range(7):
        send(root.host, str(number))
    savepoint.rollback()
    assert subjects() == []
    send(root.host, "1")
    transaction.commit()
    assert subjects() == numbered(1, 1)


def test_mail_that_finds_no_room_is_not_sent_with_the_rest(root, send, queue, subjects):
    for number in range(1, 4):
        send(root.host, str(number))
    moved = queue.path.rename(queue.path.with_suffix(".away"))
    with pytest.raises(MailHostError, match="removed"):
        send(root.host, "refused")
    moved.rename(queue.path)
    send(root.host, "4")
    transaction.commit()
    assert subjects() == numbered(1, 4)


def test_a_rollback_forgets_both_the_prepared_and_the_waiting(root, send, subjects):
    for number in (1, 2):
        send(root.host, str(number))
    savepoint = transaction.savepoint()
    for number in (10, 11, 12):
        send(root.host, str(number))
    assert len(subjects()) == 3
    savepoint.rollback()
    send(root.host, "3")
    second = transaction.savepoint()
    send(root.host, "13")
    second.rollback()
    transaction.commit()
    assert subjects() == numbered(1, 3)


def test_mail_that_was_all_prepared_is_released_by_the_vote_when_it_is_alone(
    root, send, subjects, monkeypatch
):
    monkeypatch.setattr(spool.SpoolDataManager, "tpc_finish", lambda self, txn: None)
    for number in (1, 2, 3):
        send(root.host, str(number))
    savepoint = transaction.savepoint()
    send(root.host, "10")
    savepoint.rollback()
    assert subjects() == numbered(1, 3, "prepared")
    transaction.commit()
    assert subjects() == numbered(1, 3)
