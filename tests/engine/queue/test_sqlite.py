"""A queue on SQLite: durable, private, with errors that say what to do."""

from __future__ import annotations

import os
import sqlite3
import stat
import threading
import time
import traceback
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from urllib.parse import quote

import pytest

from collective.maildrophost.engine.message import Lane
from collective.maildrophost.engine.queue import (
    QueueError,
    claim,
    due,
    enqueue,
    exists,
    next_due,
    open_queue,
    queue_length,
    sqlite,
    sqlitelock,
)

NOBODY = 65534


@pytest.fixture
def path(tmp_path):
    return tmp_path / "home" / "queue.db"


@pytest.fixture
def queue(path):
    queue = open_queue(f"sqlite:///{path}")
    yield queue
    queue.close()


def mode(path):
    return stat.S_IMODE(path.stat().st_mode)


def test_nobody_else_can_read_the_mail(hands, path):
    old = os.umask(0)
    try:
        hands.send()
    finally:
        os.umask(old)
    assert mode(path.parent) == 0o700
    files = sorted(path.parent.iterdir())
    assert [each.name for each in files] == ["queue.db", "queue.db-shm", "queue.db-wal"]
    assert {mode(each) for each in files} == {0o600}


@pytest.mark.skipif(os.getuid() != 0, reason="only root can give files away")
def test_what_root_queues_first_locks_out_nobody(path):
    """A `send` by root before the first start: daemon and Zope are another user."""
    path.parent.mkdir()
    os.chown(path.parent, NOBODY, NOBODY)
    with closing(open_queue(f"sqlite:///{path}")) as queue, queue.write():
        found = [each.stat() for each in path.parent.iterdir()]
        assert len(found) == 3
    assert {(each.st_uid, each.st_gid) for each in found} == {(NOBODY, NOBODY)}


def test_a_root_who_may_not_give_files_away_has_a_queue(tmp_path, monkeypatch):
    def refuse(*arguments):
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(os, "geteuid", lambda: 0)
    monkeypatch.setattr(os, "fchown", refuse)
    open_queue(f"sqlite:///{tmp_path}/of-root.db").close()


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


def test_a_reader_does_not_wait_for_a_writer(queue, hands):
    with queue.write() as tx:
        enqueue(tx, [hands.mail()], hands.now)
        with queue.read() as other:
            assert queue_length(other) == 0


def test_opening_a_queue_again_changes_nothing(queue, path):
    queue.close()
    before = path.read_bytes()
    open_queue(queue.url).close()
    assert path.read_bytes() == before


def test_a_file_that_is_no_database_is_not_overwritten(tmp_path):
    other = tmp_path / "letter.txt"
    other.write_text("Dear reader, " * 200)
    with pytest.raises(QueueError, match="not an SQLite database") as caught:
        open_queue(f"sqlite:///{other}")
    assert str(other) in str(caught.value)
    assert other.read_text() == "Dear reader, " * 200


def test_a_directory_that_cannot_be_made_is_named(tmp_path):
    (tmp_path / "file").touch()
    for directory in ("file/below", "missing/below"):
        with pytest.raises(QueueError, match=directory):
            open_queue(f"sqlite:///{tmp_path}/{directory}/queue.db")


def test_a_path_that_is_a_directory_is_an_error_that_says_so(tmp_path):
    with pytest.raises(QueueError, match="cannot be opened"):
        open_queue(f"sqlite:///{tmp_path}")


def test_a_file_that_was_removed_is_not_written_any_more(hands, queue, path):
    path.unlink()
    with pytest.raises(QueueError, match=r"removed or replaced.*put it back"):
        hands.send()


def test_a_file_that_was_put_back_is_used_again(hands, queue, path):
    hands.send()
    away = path.with_suffix(".away")
    path.rename(away)
    with pytest.raises(QueueError):
        hands.send()
    away.rename(path)
    hands.send()
    assert len(hands.claim()) == 2


@contextmanager
def gone(path):
    """Somebody has moved the file away; nobody makes another one."""
    away = path.with_suffix(".away")
    path.rename(away)
    yield
    assert not path.exists()
    away.rename(path)


def test_a_file_that_nobody_may_look_at_is_not_said_to_be_missing(tmp_path):
    # Root may look everywhere; a name too long for any file fails in the same way.
    with pytest.raises(QueueError, match="File name too long"):
        exists(f"sqlite:///{tmp_path}/{'x' * 300}/queue.db")


def length(queue):
    with queue.read() as tx:
        return queue_length(tx)


def test_a_file_that_is_gone_is_not_made_by_looking_and_is_read_when_it_is_back(
    hands, queue, path
):
    hands.send()
    with gone(path):
        for use in (lambda: length(queue), hands.send, lambda: length(queue)):
            with pytest.raises(QueueError, match="removed or replaced"):
                use()
    assert length(queue) == 1
    hands.send()
    assert length(queue) == 2


@pytest.mark.parametrize("begin", ["read", "write"])
def test_a_file_that_goes_before_it_is_connected_to_is_not_made(
    hands, queue, path, begin, monkeypatch
):
    hands.send()
    queue.close()
    with monkeypatch.context() as patch, gone(path):
        patch.setattr(queue.database, "check", lambda: None)
        with pytest.raises(QueueError), getattr(queue, begin)():
            pass
    assert length(queue) == 1


def test_no_connection_is_one_to_another_file(hands, queue, path, monkeypatch):
    hands.send()
    queue.close()
    monkeypatch.setattr(queue.database, "check", lambda: None)
    away = path.rename(path.with_suffix(".away"))
    path.touch()
    with pytest.raises(QueueError, match="removed or replaced"):
        length(queue)
    assert path.read_bytes() == b"", "nothing was written there"
    away.replace(path)
    assert length(queue) == 1


@pytest.mark.parametrize("name", ["a b", "50%", "what?", "no#1", "grüße"])
def test_a_directory_may_have_any_name(tmp_path, name):
    queue = open_queue(f"sqlite:///{tmp_path}/{quote(name)}/queue.db")
    assert length(queue) == 0
    queue.close()
    assert queue.path.stat().st_size


def test_a_full_disk_is_an_error_that_leaves_nothing_half_done(hands, queue):
    big = hands.mail(subject="big")
    big = type(big)(**{**big.__dict__, "content": b"x" * 1_000_000})

    def write(tx):
        tx.exec_driver_sql("PRAGMA max_page_count = 60")
        enqueue(tx, [hands.mail(), big], hands.now)

    with pytest.raises(QueueError, match="disk is full"):
        hands.do(write)
    queue.close()
    assert hands.claim() == []
    hands.send(big)


def test_a_writer_looks_for_the_end_of_a_lock_all_the_time(
    hands, queue, path, monkeypatch
):
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    pauses = []

    def pause(seconds):
        pauses.append(seconds)
        if len(pauses) == 20:
            other.execute("ROLLBACK")

    monkeypatch.setattr(sqlitelock, "_pause", pause)
    hands.send()
    assert pauses == [sqlitelock.TURN_SECONDS] * 20
    assert len(hands.claim()) == 1
    other.close()


def test_readers_wait_for_a_lock_whatever_became_of_the_writers(
    hands, queue, path, monkeypatch
):
    def timeout():
        with queue.read() as tx:
            return tx.exec_driver_sql("PRAGMA busy_timeout").scalar_one()

    hands.send()
    assert timeout() == sqlitelock.BUSY_TIMEOUT_SECONDS * 1000
    monkeypatch.setattr(sqlitelock, "BUSY_TIMEOUT_SECONDS", 0.1)
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(QueueError, match="kept it locked"), queue.write():
        pass
    assert timeout() == 100
    other.close()


def test_a_lock_that_lasts_is_an_error_that_says_so(hands, queue, path, monkeypatch):
    monkeypatch.setattr(sqlitelock, "BUSY_TIMEOUT_SECONDS", 0.1)
    short = open_queue(queue.url)
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(QueueError, match="kept it locked"), short.write():
        pass
    other.execute("ROLLBACK")
    with short.write() as tx:
        enqueue(tx, [hands.mail()], hands.now)
    other.close()
    short.close()


def test_no_thread_waits_longer_for_a_lock_because_others_wait_for_it(
    hands, queue, path, monkeypatch
):
    monkeypatch.setattr(sqlitelock, "BUSY_TIMEOUT_SECONDS", 1.0)
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")

    def waited(_):
        began = time.monotonic()
        with pytest.raises(QueueError, match="kept it locked"), queue.write():
            pass
        return time.monotonic() - began

    with ThreadPoolExecutor(5) as threads:
        # One after the other they would have waited for 5 seconds.
        assert max(threads.map(waited, range(5))) < 3
    other.close()


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("", "not a database URL"),
        ("queue.db", "not a database URL"),
        ("postgresql+psycopg://me:sesame7", "not a database URL"),
        ("sqlite://", "names no file"),
        ("sqlite:///:memory:", "names no file"),
    ],
)
def test_an_url_without_a_database_is_an_error(url, words):
    with pytest.raises(QueueError, match=words) as caught:
        open_queue(url)
    assert "sesame7" not in str(caught.value)


def test_no_error_tells_a_password():
    password = "-".join(["sesame", "7"])  # a traceback quotes the source
    with pytest.raises(QueueError) as caught:
        open_queue(f"postgresql+psycopg://mail:{password}@127.0.0.1:1/mail")
    told = "".join(traceback.format_exception(caught.value))
    assert password not in told + repr(caught.value)


def test_no_error_quotes_the_mail(hands, queue):
    message = hands.mail(subject="sesame-7")

    def write(tx):
        tx.exec_driver_sql("DROP TABLE maildrop_recipient")
        enqueue(tx, [message], hands.now)

    with pytest.raises(QueueError) as caught:
        hands.do(write)
    told = "".join(traceback.format_exception(caught.value))
    assert "sesame-7" not in told
    hands.send()


def test_a_network_file_system_is_told_apart(tmp_path):
    mounts = tmp_path / "mounts"
    mounts.write_text(
        "/dev/sda / ext4 rw 0 0\n"
        "server:/x /srv nfs4 rw 0 0\n"
        f"tmpfs {tmp_path}/with\\040blank tmpfs rw 0 0\n"
        "/dev/sdb /srv/local xfs rw 0 0\n"
    )
    (tmp_path / "with blank").mkdir()

    def kind(path):
        return sqlite.file_system(path, mounts)

    assert kind(tmp_path) == "ext4"
    assert kind(tmp_path / "with blank" / "queue.db") == "tmpfs"
    assert kind(type(tmp_path)("/srv/queue.db")) == "nfs4"
    assert kind(type(tmp_path)("/srvx/queue.db")) == "ext4"
    assert kind(type(tmp_path)("/srv/local/queue.db")) == "xfs"


def test_a_queue_on_a_network_file_system_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(sqlite, "file_system", lambda path: "nfs4")
    with pytest.raises(QueueError, match=r"network file system \(nfs4\).*local disk"):
        open_queue(f"sqlite:///{tmp_path}/queue.db")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("version", "broken"),
    [
        ((3, 6, 23), False),
        ((3, 7, 0), True),
        ((3, 44, 5), True),
        ((3, 44, 6), False),
        ((3, 45, 0), True),
        ((3, 50, 7), False),
        ((3, 51, 2), True),
        ((3, 51, 3), False),
    ],
)
def test_the_versions_with_the_wal_reset_bug_are_known(version, broken):
    assert sqlite.has_wal_reset_bug(version) is broken


def in_child(work) -> int:
    """The exit status of a forked child that does `work`."""
    pid = os.fork()
    if pid == 0:
        try:
            work()
        except BaseException:
            traceback.print_exc()
            os._exit(1)
        os._exit(0)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def test_a_forked_child_has_connections_of_its_own(hands, queue):
    hands.send()
    assert in_child(hands.send) == 0
    hands.send()
    assert len(hands.claim()) == 3


def test_a_fork_while_a_thread_writes_does_not_lock_the_child_up(
    hands, queue, monkeypatch
):
    writing, over = threading.Event(), threading.Event()

    def write():
        with queue.write():
            writing.set()
            over.wait(20)

    thread = threading.Thread(target=write)
    thread.start()
    writing.wait(20)
    monkeypatch.setattr(sqlitelock, "BUSY_TIMEOUT_SECONDS", 5)

    def read_and_lock():
        with queue.read() as tx:
            queue_length(tx)
        with queue.database.writing():
            pass

    try:
        assert in_child(read_and_lock) == 0
    finally:
        over.set()
        thread.join()
    hands.send()


def test_a_claim_costs_the_same_with_a_long_queue(hands, queue):
    hands.send(*[hands.mail() for _ in range(2000)])
    steps = 0

    def count():
        nonlocal steps
        steps += 1

    with queue.write() as tx:
        wire = tx.connection.dbapi_connection
        wire.set_progress_handler(count, 100)
        claim(tx, "one", due(tx, 1, hands.now).lanes[Lane.NORMAL], hands.now)
        next_due(tx)
        wire.set_progress_handler(None, 0)
    # Reading all of the queue would be some hundred times a hundred steps.
    assert steps < 60
