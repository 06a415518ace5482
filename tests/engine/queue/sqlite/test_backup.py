"""A backup is the queue of one moment, private, and never half there."""

from __future__ import annotations

import errno
import os
import shutil
import sqlite3
import stat

import pytest
from engine.halfway import half_way

from collective.maildrophost.engine.queue import (
    enqueue,
    list_messages,
    open_queue,
    queue_length,
)
from collective.maildrophost.engine.queue.sqlite import backup as module
from collective.maildrophost.engine.queue.sqlite.backup import BackupFailed, backup
from collective.maildrophost.engine.system import disk


@pytest.fixture
def target(tmp_path):
    (tmp_path / "backups").mkdir()
    return tmp_path / "backups" / "queue.db"


def quiet(done: int, total: int) -> None:
    """Nobody watches."""


def test_a_backup_is_a_queue_with_the_same_mail(queue, hands, target):
    ids = hands.send(hands.mail(subject="one"), hands.mail(subject="two"))
    size = backup(queue.path, target, quiet)
    assert size == target.stat().st_size
    copy = open_queue(f"sqlite:///{target}")
    with copy.read() as tx:
        found = {each.id: each.subject for each in list_messages(tx)}
    copy.close()
    assert found == dict(zip(ids, ("one", "two"), strict=True))


def test_a_backup_is_one_private_file(queue, hands, target):
    hands.send()
    old = os.umask(0)
    try:
        backup(queue.path, target, quiet)
    finally:
        os.umask(old)
    assert stat.S_IMODE(target.stat().st_mode) == 0o600
    assert os.listdir(target.parent) == ["queue.db"]


def test_nothing_is_overwritten(queue, hands, target):
    hands.send()
    target.write_text("something of mine")
    with pytest.raises(BackupFailed, match="not overwritten"):
        backup(queue.path, target, quiet)
    assert target.read_text() == "something of mine"
    assert os.listdir(target.parent) == ["queue.db"]


def test_a_file_that_comes_meanwhile_is_not_overwritten(queue, hands, target):
    hands.send()
    with pytest.raises(BackupFailed):
        backup(queue.path, target, lambda done, total: target.write_text("mine"))
    assert target.read_text() == "mine"
    assert os.listdir(target.parent) == ["queue.db"]


def test_what_is_written_meanwhile_is_not_in_a_backup_and_does_not_restart_it(
    queue, hands, target, monkeypatch
):
    monkeypatch.setattr(module, "STEP_PAGES", 1)
    hands.send(*(hands.mail(subject=f"before {n}") for n in range(100)))
    other = open_queue(queue.url)
    calls = []

    def write_between_steps(done: int, total: int) -> None:
        calls.append((done, total))
        if len(calls) < 1000:
            with other.write() as tx:
                enqueue(tx, [hands.mail(subject="meanwhile")], hands.now)

    backup(queue.path, target, write_between_steps)
    other.close()
    copy = open_queue(f"sqlite:///{target}")
    with copy.read() as tx:
        subjects = {each.subject for each in list_messages(tx)}
    copy.close()
    assert len(calls) > 20
    assert calls == [(number + 1, len(calls)) for number in range(len(calls))]
    assert subjects == {f"before {n}" for n in range(100)}


BACKS_UP = """
import pathlib, sys
from collective.maildrophost.engine.queue.sqlite import backup
backup.STEP_PAGES = 1
def wait(done, total):
    if done == 3:
        stand_still()
backup.backup(pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2]), wait)
"""


@pytest.fixture
def another(queue, hands, target):
    """Another process amid a backup to `target`; it goes on at the end of input."""
    hands.send(*(hands.mail(subject=str(n)) for n in range(50)))
    with half_way(BACKS_UP, queue.path, target) as process:
        yield process


def test_what_a_killed_backup_has_left_is_removed_by_the_next(queue, target, another):
    another.kill()
    another.wait()
    assert not target.exists()
    assert f"queue.db.{another.pid}.partial" in os.listdir(target.parent)
    backup(queue.path, target, quiet)
    assert os.listdir(target.parent) == ["queue.db"]


def test_what_a_living_backup_works_on_stays(queue, target, another):
    there = set(os.listdir(target.parent))
    with pytest.raises(BackupFailed, match="another backup to"):
        backup(queue.path, target, quiet)
    assert set(os.listdir(target.parent)) == there
    another.communicate()
    assert another.returncode == 0
    assert os.listdir(target.parent) == ["queue.db"]


def test_what_a_killed_backup_with_our_own_pid_has_left_is_not_in_the_way(
    queue, hands, target
):
    """In a container every process may have the same."""
    hands.send()
    target.with_name(f"queue.db.{os.getpid()}.partial").write_text("of a dead one")
    backup(queue.path, target, quiet)
    assert os.listdir(target.parent) == ["queue.db"]


def test_what_belongs_to_another_file_stays(queue, hands, target):
    hands.send()
    others = ["queue.db.old", "queue.db.2.7.partial", "xqueue.db.7.partial"]
    for name in others:
        target.with_name(name).write_text("of another")
    backup(queue.path, target, quiet)
    assert sorted(os.listdir(target.parent)) == sorted(["queue.db", *others])


def test_a_lock_whose_file_another_has_just_removed_is_no_lock(
    queue, target, monkeypatch
):
    """It was opened when it was still there, and would lock nobody out."""
    lock = target.with_name("queue.db.partial.lock")
    monkeypatch.setattr(module.fcntl, "flock", lambda file, how: lock.unlink())
    with pytest.raises(BackupFailed, match="another backup"):
        backup(queue.path, target, quiet)
    assert os.listdir(target.parent) == []


def test_a_backup_is_made_where_no_directory_can_be_synced(
    queue, hands, target, monkeypatch
):
    sync = disk.sync

    def refuse(path):
        if path == target.parent:
            raise OSError(errno.EINVAL, "Invalid argument")
        sync(path)

    monkeypatch.setattr(disk, "sync", refuse)
    hands.send()
    assert backup(queue.path, target, quiet) == target.stat().st_size


def test_a_directory_that_is_not_there_is_named(queue, tmp_path):
    with pytest.raises(BackupFailed, match=r"nowhere is no directory; no backup"):
        backup(queue.path, tmp_path / "nowhere" / "queue.db", quiet)


def test_a_file_system_without_hard_links_is_reported(queue, target, monkeypatch):
    def refuse(_source, _target):
        raise PermissionError(errno.EPERM, "Operation not permitted")

    monkeypatch.setattr(os, "link", refuse)
    with pytest.raises(BackupFailed, match="no hard links; no backup was made: make"):
        backup(queue.path, target, quiet)
    assert os.listdir(target.parent) == []


def test_a_damaged_queue_makes_no_backup(queue, hands, target, tmp_path):
    hands.send(*(hands.mail(subject=str(n)) for n in range(500)))
    queue.close()
    with sqlite3.connect(queue.path) as database:
        database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    database.close()
    broken = tmp_path / "broken.db"
    shutil.copy(queue.path, broken)
    with broken.open("r+b") as file:
        for page in range(4, 20):
            file.seek(page * 4096)
            file.write(b"\xff" * 4096)
    with pytest.raises(BackupFailed, match="damaged"):
        backup(broken, target, quiet)
    assert os.listdir(target.parent) == []


def test_a_queue_that_cannot_be_read_is_named_and_not_its_copy(target, tmp_path):
    source = tmp_path / "queue.db"
    source.write_bytes(b"no database, " * 100)
    with pytest.raises(BackupFailed) as failed:
        backup(source, target, quiet)
    assert str(failed.value).startswith(f"{source}: the file is not an SQLite database")
    assert os.listdir(target.parent) == []


def test_a_backup_put_in_place_of_the_queue_is_the_queue(queue, hands, target):
    hands.send()
    backup(queue.path, target, quiet)
    hands.send()
    queue.close()
    for name in ("queue.db", "queue.db-wal", "queue.db-shm"):
        queue.path.with_name(name).unlink(missing_ok=True)
    shutil.copy(target, queue.path)
    restored = open_queue(queue.url)
    with restored.read() as tx:
        assert queue_length(tx) == 1
    restored.close()
