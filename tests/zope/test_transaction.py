"""Mail leaves with its transaction, once, or not at all."""

from __future__ import annotations

import os
import threading

import pytest
import transaction
from datamanagers import AFTER_MAIL, AFTER_ZODB
from Products.MailHost.MailHost import MailHostError
from waiting import PATIENCE_SECONDS
from ZODB.POSException import ConflictError

from collective.maildrophost.engine.queue import State
from collective.maildrophost.host import MaildropHost
from collective.maildrophost.indoubt.storagelog import EXTENDED_INFO

# Every promise of a transaction is kept on both databases.
pytestmark = pytest.mark.parametrize(
    "queue_url", ["sqlite", "postgresql"], indirect=True
)


def test_mail_of_a_committed_transaction_is_queued_once(root, send, subjects):
    root.counter += 1
    send(root.host)
    assert subjects() == []
    transaction.commit()
    assert subjects() == [("hello", "queued")]


def test_an_abort_leaves_nothing(root, send, subjects):
    send(root.host)
    transaction.abort()
    transaction.commit()
    assert subjects() == []


def test_a_doomed_transaction_leaves_nothing(root, send, subjects):
    transaction.doom()
    send(root.host)
    with pytest.raises(Exception, match="doomed"):
        transaction.commit()
    transaction.abort()
    assert subjects() == []


def test_transactions_of_one_thread_do_not_share_their_mail(root, send, subjects):
    send(root.host, "first")
    transaction.commit()
    send(root.host, "second")
    transaction.abort()
    send(root.host, "third")
    transaction.commit()
    assert subjects() == [("first", "queued"), ("third", "queued")]


def test_threads_that_conflict_and_retry_send_one_mail_each(
    database, send, subjects, in_threads
):
    both_have_read = threading.Barrier(2, timeout=PATIENCE_SECONDS)
    attempts = []

    def count_up(number):
        tries = 0
        for attempt in transaction.manager.attempts(5):
            with attempt:
                tries += 1
                attempts.append(number)
                connection = database.open()
                connection.root.counter += 1
                send(connection.root.host, f"from {number}")
                if tries == 1:
                    both_have_read.wait()

    in_threads(2, count_up)
    assert len(attempts) == 3, "the test made no conflict"
    assert sorted(subjects()) == [("from 0", "queued"), ("from 1", "queued")]


def test_a_conflict_costs_the_queue_no_write(database, root, send, queue):
    writes = []
    real_write = queue.write
    queue.write = lambda: writes.append(1) or real_write()
    root.counter += 1
    send(root.host)
    count_up_elsewhere(database)
    with pytest.raises(ConflictError):
        transaction.commit()
    assert writes == []


def count_up_elsewhere(database):
    connection = database.open(transaction.TransactionManager())
    connection.root.counter += 1
    connection.transaction_manager.commit()
    connection.close()


def test_mail_sent_in_a_hook_before_the_commit_goes_along(root, send, subjects):
    transaction.get().addBeforeCommitHook(send, (root.host, "by hook"))
    transaction.commit()
    assert subjects() == [("by hook", "queued")]


def test_a_hook_after_the_commit_does_not_take_the_mail_back(root, send, subjects):
    # The transaction calls abort() on everybody once such hooks have run.
    root.counter += 1
    send(root.host)
    called = []
    transaction.get().addAfterCommitHook(called.append)
    transaction.commit()
    assert called == [True]
    assert subjects() == [("hello", "queued")]


@pytest.mark.parametrize("immediate", [True, False])
def test_mail_sent_in_a_hook_after_the_commit_is_queued_at_once(
    root, send, subjects, immediate
):
    root.counter += 1
    send(root.host)
    seen = []

    def committed_mail(committed):
        send(root.host, "committed", immediate=immediate)
        seen.append(subjects())

    transaction.get().addAfterCommitHook(committed_mail)
    transaction.commit()
    assert seen == [[("hello", "queued"), ("committed", "queued")]]
    transaction.abort()
    assert subjects() == seen[0]


def test_mail_sent_after_a_commit_that_failed_is_refused_with_the_reason(
    root, send, subjects, join
):
    refusals = []

    def refuse():
        raise RuntimeError("no")

    def too_late(committed):
        with pytest.raises(MailHostError, match="transaction that ends") as refusal:
            send(root.host, "too late")
        refusals.append(refusal)

    join(AFTER_MAIL, tpc_vote=refuse)
    transaction.get().addAfterCommitHook(too_late)
    with pytest.raises(RuntimeError, match="no"):
        transaction.commit()
    transaction.abort()
    assert len(refusals) == 1
    assert subjects() == []


def test_mail_that_is_sent_while_its_transaction_commits_is_refused(
    root, send, subjects, join
):
    send(root.host)
    join(AFTER_MAIL, tpc_vote=lambda: send(root.host, "too late"))
    with pytest.raises(MailHostError, match="while its transaction commits"):
        transaction.commit()
    transaction.abort()
    assert subjects() == []


def test_a_no_of_another_participant_deletes_the_mail(root, send, subjects, join):
    def refuse():
        assert subjects() == [("hello", "prepared")]
        raise RuntimeError("no")

    root.counter += 1
    send(root.host)
    join(AFTER_MAIL, tpc_vote=refuse)
    with pytest.raises(RuntimeError, match="no"):
        transaction.commit()
    assert subjects() == []
    transaction.abort()
    assert subjects() == []


def test_a_no_before_the_mail_is_voted_on_leaves_nothing(root, send, subjects, join):
    def refuse():
        raise RuntimeError("no")

    send(root.host)
    join(AFTER_ZODB, tpc_vote=refuse)
    with pytest.raises(RuntimeError, match="no"):
        transaction.commit()
    transaction.abort()
    assert subjects() == []


def test_mail_is_released_after_zodb_has_finished(root, send, subjects, join, caplog):
    seen = []
    root.counter += 1
    send(root.host)
    join(AFTER_ZODB, tpc_finish=lambda: seen.append(subjects()))
    join(AFTER_MAIL, tpc_finish=lambda: seen.append(subjects()))
    transaction.commit()
    assert seen == [[("hello", "prepared")], [("hello", "queued")]]
    assert caplog.text == ""


def test_a_database_that_commits_in_its_vote_is_asked_after_the_queue(
    root, send, subjects, join
):
    # zope.sqlalchemy commits one-phase databases there.
    seen = []
    root.counter += 1
    send(root.host)
    join("~sqlalchemy:1", tpc_vote=lambda: seen.append(subjects()))
    transaction.commit()
    assert seen == [[("hello", "prepared")]]


def test_a_finish_that_breaks_leaves_the_mail_prepared(
    root, send, subjects, join, caplog
):
    def break_down():
        raise OSError("disk gone")

    root.counter += 1
    send(root.host)
    join(AFTER_ZODB, tpc_finish=break_down)
    with pytest.raises(OSError, match="disk gone"):
        transaction.commit()
    transaction.abort()
    assert subjects() == [("hello", "prepared")]
    assert "1 mails stay prepared" in caplog.text


def test_zodb_writes_the_batch_into_its_log(database, root, send, mails, join):
    batches = []
    join(AFTER_MAIL, tpc_vote=lambda: batches.extend(m.batch for m in mails()))
    root.counter += 1
    send(root.host)
    transaction.commit()
    logged = [
        record.extension.get(EXTENDED_INFO) for record in database.storage.iterator()
    ]
    assert logged[-1] == batches
    assert len(batches) == 1


def test_mail_that_was_taken_back_needs_no_room_in_the_log(
    database, root, send, subjects
):
    """A storage takes 64 kB at most of information about a transaction."""
    for number in range(20):
        savepoint = transaction.savepoint()
        send(root.host, f"taken back {number}")
        savepoint.rollback()
    root.counter += 1
    send(root.host)
    transaction.commit()
    (*_, last) = database.storage.iterator()
    assert len(last.extension[EXTENDED_INFO]) == 1
    assert subjects() == [("hello", "queued")]


@pytest.mark.parametrize("transactional", [True, False])
def test_the_origin_names_object_and_process(root, send, mails, transactional):
    root.host.setTransactional(transactional)
    send(root.host)
    transaction.commit()
    (message,) = mails()
    assert "MailHost on " in message.origin
    assert message.origin.endswith(f"process {os.getpid()}")


@pytest.mark.parametrize("others", [0, 1], ids=["alone", "with a database"])
def test_each_mail_names_the_object_that_has_sent_it(root, send, mails, others):
    sites = [MaildropHost(f"site-{number}") for number in (1, 2)]
    root.counter += others
    for number in range(4):
        send(sites[number % 3 // 2], str(number))
    transaction.commit()
    in_order = sorted(mails(), key=lambda each: int(each.id))
    named = [(each.subject, each.origin.partition(" ")[0]) for each in in_order]
    first, second = "site-1", "site-2"
    assert named == [("0", first), ("1", first), ("2", second), ("3", first)]


def test_no_batch_remains_on_released_mail(root, send, mails):
    root.counter += 1
    send(root.host)
    transaction.commit()
    (message,) = mails(State.QUEUED)
    assert message.batch is None
