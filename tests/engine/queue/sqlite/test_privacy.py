"""Who can read the mail of a queue on SQLite, and what errors say of it."""

from __future__ import annotations

import os
import stat
import traceback
from contextlib import closing

import pytest

from collective.maildrophost.engine.queue import QueueError, enqueue, open_queue

NOBODY = 65534


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
    names = [".queue.db.lock", "queue.db", "queue.db-shm", "queue.db-wal"]
    assert [each.name for each in files] == names
    assert {mode(each) for each in files} == {0o600}


@pytest.mark.skipif(os.getuid() != 0, reason="only root can give files away")
def test_a_queue_that_root_makes_locks_nobody_out(path):
    """By a `send` before the first start: daemon and Zope run as another user."""
    path.parent.mkdir()
    os.chown(path.parent, NOBODY, NOBODY)
    with closing(open_queue(f"sqlite:///{path}")) as queue, queue.write():
        found = [each.stat() for each in path.parent.iterdir()]
        assert len(found) == 4
    assert {(each.st_uid, each.st_gid) for each in found} == {(NOBODY, NOBODY)}


@pytest.mark.skipif(os.getuid() != 0, reason="only root can give files away")
def test_the_lock_that_root_makes_belongs_to_the_owner_of_the_queue(path):
    """Whoever may write in its directory need not own that."""
    url = f"sqlite:///{path}"
    open_queue(url).close()
    os.chown(path, NOBODY, NOBODY)
    lock = path.with_name(".queue.db.lock")
    lock.unlink()
    open_queue(url).close()
    assert (lock.stat().st_uid, lock.stat().st_gid) == (NOBODY, NOBODY)


def test_root_has_a_queue_where_it_may_not_give_files_away(tmp_path, monkeypatch):
    def refuse(*arguments):
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(os, "geteuid", lambda: 0)
    monkeypatch.setattr(os, "fchown", refuse)
    open_queue(f"sqlite:///{tmp_path}/of-root.db").close()


def test_no_error_tells_a_password():
    password = "-".join(["sesame", "7"])  # a traceback quotes the source
    with pytest.raises(QueueError) as caught:
        open_queue(f"postgresql+psycopg://mail:{password}@127.0.0.1:1/mail")
    told = "".join(traceback.format_exception(caught.value))
    assert password not in told + repr(caught.value)


def test_no_error_quotes_the_mail(hands):
    message = hands.mail(subject="sesame-7")

    def write(tx):
        tx.exec_driver_sql("DROP TABLE maildrop_recipient")
        enqueue(tx, [message], hands.now)

    with pytest.raises(QueueError) as caught:
        hands.do(write)
    told = "".join(traceback.format_exception(caught.value))
    assert "sesame-7" not in told
    hands.send()
