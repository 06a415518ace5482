"""A queue that cannot be written stops the transaction in its first phase."""

from __future__ import annotations

import sqlite3
from contextlib import closing

import pytest
import transaction
from datamanagers import AFTER_ZODB
from Products.MailHost.MailHost import MailHostError
from waiting import PATIENCE_SECONDS

from collective.maildrophost.engine.actions import release_batch
from collective.maildrophost.engine.queue import (
    list_messages,
    open_queue,
    prepared_batches,
)
from collective.maildrophost.engine.queue.sqlite import lock
from collective.maildrophost.transaction import datamanager as spool
from collective.maildrophost.transaction import take_part


def commit_fails(database, root, send, match, **options):
    """A change with a mail fails to commit, and the change is not stored."""
    root.counter += 1
    send(root.host, **options)
    with pytest.raises(MailHostError, match=match) as refusal:
        transaction.commit()
    transaction.abort()
    with database.transaction() as connection:
        assert connection.root.counter == 0
    return str(refusal.value)


def test_a_file_where_the_directory_should_be_is_named(
    database, root, send, configuration_file
):
    in_the_way = configuration_file.parent / "in-the-way"
    in_the_way.write_text("a file\n")
    with configuration_file.open("a") as file:
        file.write(f"MAILDROP_QUEUE=sqlite:///{in_the_way}/queue.db\n")
    reason = commit_fails(database, root, send, "mail queue")
    assert "in-the-way/queue.db" in reason
    in_the_way.unlink()
    root.counter += 1
    send(root.host)
    transaction.commit()


def test_a_locked_database_is_named(
    database, root, send, configuration, monkeypatch, subjects_later
):
    monkeypatch.setattr(lock, "BUSY_TIMEOUT_SECONDS", 0.1)
    subjects = subjects_later()
    locker = sqlite3.connect(configuration.home / "queue.db", isolation_level=None)
    locker.execute("BEGIN IMMEDIATE")
    with monkeypatch.context() as patch:
        # What could not be written is not waited for again to be taken back.
        patch.setattr(spool, "discard", None)
        patch.setattr(spool.endings, "left_undone", None)
        commit_fails(database, root, send, "locked")
    locker.execute("ROLLBACK")
    locker.close()
    assert subjects() == []


@pytest.fixture
def subjects_later(request):
    """The queue's subjects, the queue opened no sooner than asked."""
    return lambda: request.getfixturevalue("subjects")


def test_a_queue_that_mail_alone_cannot_open_is_named(host, send, configuration_file):
    with configuration_file.open("a") as file:
        file.write(f"MAILDROP_QUEUE=sqlite:///{configuration_file}/queue.db\n")
    send(host)
    with pytest.raises(MailHostError, match=r"maildrop\.conf/queue\.db"):
        transaction.commit()


def test_a_full_disk_leaves_nothing(
    database, root, send, subjects, queue, file_size_limit
):
    used = queue.path.stat().st_size
    with file_size_limit(used + 200_000):
        commit_fails(database, root, send, "mail queue", subject="x" * 1_000_000)
    assert subjects() == []
    send(root.host, "fits again")
    transaction.commit()
    assert subjects() == [("fits again", "queued")]


def test_a_damaged_database_is_named(database, root, send, configuration):
    (configuration.home / "queue.db").write_bytes(b"no database at all\n" * 500)
    commit_fails(database, root, send, "not an SQLite database|not a database")


def test_a_rollback_that_the_queue_refuses_fails_the_transaction(
    root, send, queue, subjects, monkeypatch
):
    monkeypatch.setattr(spool, "SPILL_MESSAGES", 1)
    send(root.host, "kept")
    savepoint = transaction.savepoint()
    send(root.host, "one")
    send(root.host, "two")
    away = queue.path.rename(queue.path.with_suffix(".away"))
    with pytest.raises(MailHostError, match="removed"):
        savepoint.rollback()
    with pytest.raises(Exception, match="previously failed"):
        transaction.commit()
    away.rename(queue.path)
    transaction.abort()
    assert subjects() == []


def test_mail_that_was_taken_back_needs_no_queue(
    configuration, root, send, queue, subjects, caplog
):
    root.counter += 1
    take_part(configuration.queue)  # as an add-on does that then sends nothing
    savepoint = transaction.savepoint()
    send(root.host)
    away = queue.path.rename(queue.path.with_suffix(".away"))
    savepoint.rollback()
    transaction.commit()
    away.rename(queue.path)
    assert (subjects(), caplog.text) == ([], "")


def test_an_abort_never_fails_for_the_queue(
    root, send, queue, subjects, monkeypatch, caplog
):
    monkeypatch.setattr(spool, "SPILL_MESSAGES", 1)
    send(root.host, "one")
    send(root.host, "two")
    away = queue.path.rename(queue.path.with_suffix(".away"))
    transaction.abort()
    away.rename(queue.path)
    assert subjects() == [("one", "prepared")]
    assert "could not be deleted" in caplog.text


def test_a_queue_that_is_gone_for_a_while_is_used_again_when_it_is_back(
    database, root, send, queue, subjects
):
    send(root.host, "before")
    transaction.commit()
    away = queue.path.rename(queue.path.with_suffix(".away"))
    commit_fails(database, root, send, "removed", subject="refused")
    assert "removed" in root.host.queueLength()
    assert not queue.path.exists()
    away.rename(queue.path)
    assert root.host.queueLength() == 1
    send(root.host, "after")
    transaction.commit()
    assert subjects() == [("before", "queued"), ("after", "queued")]


def test_a_release_that_fails_does_not_fail_the_commit(
    database, root, send, queue, subjects, join, caplog
):
    root.counter += 1
    send(root.host)
    away = queue.path.with_suffix(".away")
    join(AFTER_ZODB, tpc_finish=lambda: queue.path.rename(away))
    transaction.commit()
    away.rename(queue.path)
    with database.transaction() as connection:
        assert connection.root.counter == 1
    assert subjects() == [("hello", "prepared")]
    assert "could not be released" in caplog.text
    assert "was removed or replaced" in caplog.text


def test_what_ends_the_process_amid_a_release_still_ends_it(
    root, send, subjects, monkeypatch, caplog
):
    def end(tx, batch):
        raise SystemExit

    monkeypatch.setattr(spool, "release", end)
    root.counter += 1
    send(root.host)
    with pytest.raises(SystemExit):
        transaction.commit()
    transaction.abort()
    assert subjects() == [("hello", "prepared")]
    assert "could not be released: SystemExit" in caplog.text


def test_a_crash_between_the_phases_leaves_mail_that_a_person_can_release(
    database, database_file, queue, subjects, in_process, scripts
):
    database.close()
    queue.close()
    process = in_process(scripts / "crash_in_finish.py", database_file)
    assert process.wait(PATIENCE_SECONDS) == 9
    assert subjects() == [("hello", "prepared")]
    with queue.read() as tx:
        (batch,) = prepared_batches(tx)
    assert batch.mails == 1
    assert f"process {process.pid}" in batch.origin
    assert release_batch(queue, batch.batch) == 1
    assert subjects() == [("hello", "queued")]
    with queue.read() as tx:
        assert prepared_batches(tx) == []


def test_mail_alone_in_its_transaction_is_never_in_doubt(
    queue, subjects, in_process, scripts
):
    queue.close()
    process = in_process(scripts / "crash_after_vote.py")
    assert process.wait(PATIENCE_SECONDS) == 9
    assert subjects() == [("hello", "queued")]


def test_no_configuration_is_an_error_when_sending(send, tmp_path, monkeypatch, host):
    monkeypatch.setenv("MAILDROP_CONFIG", str(tmp_path / "missing.conf"))
    with pytest.raises(MailHostError, match=r"missing\.conf"):
        send(host)


def test_a_transaction_that_breaks_after_its_mail_says_that_the_mail_is_sent(
    host, send, subjects, caplog, monkeypatch
):
    def break_down(self, txn):
        raise OSError("interrupted")

    send(host)
    monkeypatch.setattr(spool.SpoolDataManager, "tpc_finish", break_down)
    with pytest.raises(OSError, match="interrupted"):
        transaction.commit()
    transaction.abort()
    assert subjects() == [("hello", "queued")]
    (record,) = [each for each in caplog.records if each.name == "maildrop.zope"]
    assert "in the queue already: it is sent" in record.getMessage()


def test_a_zope_makes_no_other_queue_where_that_of_a_daemon_is_gone(
    database, root, send, configuration
):
    with closing(open_queue(configuration.queue)) as of_the_daemon:
        path = of_the_daemon.path
        away = path.rename(path.with_suffix(".away"))
        commit_fails(database, root, send, "put it back, and all goes on")
        assert not path.exists()
        away.rename(path)
        send(root.host, "goes on")
        transaction.commit()
        with of_the_daemon.read() as tx:
            assert [each.subject for each in list_messages(tx)] == ["goes on"]
