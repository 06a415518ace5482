"""A dropped file becomes one message exactly once, whatever happens meanwhile."""

from __future__ import annotations

import errno
import os
import time
from pathlib import Path

import pytest
from engine.intake.drops import MAIL, Killed, drop, errors, kill, messages

from collective.maildrophost.engine import intake as module
from collective.maildrophost.engine import reports
from collective.maildrophost.engine.intake import Intake
from collective.maildrophost.engine.queue import (
    QueueError,
    prune,
)
from collective.maildrophost.engine.queue.prune import SECONDS_PER_DAY


def test_a_crash_between_commit_and_unlink_queues_nothing_twice(
    queue, spool, intake, monkeypatch
):
    dropped = drop(spool, "mail-1")
    with monkeypatch.context() as patch:
        patch.setattr(os, "unlink", kill)
        with pytest.raises(Killed):
            intake.scan()
    assert dropped.exists()
    assert Intake(queue, [spool], add_message_id=True).scan() == 0
    assert not dropped.exists()
    assert len(messages(queue)) == 1


def test_a_crash_before_the_commit_leaves_the_file_for_the_next_scan(
    queue, spool, intake, monkeypatch
):
    dropped = drop(spool, "mail-1")
    with monkeypatch.context() as patch:
        # Called in the transaction that stores the message.
        patch.setattr(module, "doorbells", kill)
        with pytest.raises(Killed):
            intake.scan()
    assert messages(queue) == []
    assert dropped.exists()
    assert Intake(queue, [spool], add_message_id=True).scan() == 1


def put_back(kept: Path, dropped: Path, data: bytes) -> None:
    """Another mail that looks the same to the file system, as one of `cp -p` may."""
    found = kept.stat()
    kept.write_bytes(data)
    os.utime(kept, ns=(found.st_atime_ns, found.st_mtime_ns))
    os.link(kept, dropped)
    again = dropped.stat()
    assert (again.st_ino, again.st_size) == (found.st_ino, found.st_size)
    assert again.st_mtime_ns == found.st_mtime_ns


@pytest.mark.parametrize("more", [MAIL, MAIL.replace(b"hello", b"other")])
def test_the_next_file_is_another_mail_whatever_it_looks_like(
    queue, spool, tmp_path, intake, more
):
    dropped, kept = drop(spool, "mail-1"), tmp_path / "second-name"
    os.link(dropped, kept)
    for _ in range(3):
        assert intake.scan() == 1
        put_back(kept, dropped, more)
    assert Intake(queue, [spool], add_message_id=True).scan() == 1
    assert len(messages(queue)) == 4


def test_a_file_is_forgotten_when_the_disk_knows_that_it_is_gone(
    spool, intake, monkeypatch
):
    steps = []
    sync, forget = module.sync, module.forget_files

    def syncing(path):
        sync(path)
        steps.append((Path(path), os.listdir(spool)))

    def forgetting(tx, keys):
        forget(tx, keys)
        steps.append("forgotten")

    monkeypatch.setattr(module, "sync", syncing)
    monkeypatch.setattr(module, "forget_files", forgetting)
    dropped = drop(spool, "mail-1")
    intake.scan()
    assert steps == [(dropped, ["mail-1"]), (spool, []), "forgotten"]


def test_a_file_is_remembered_where_the_disk_does_not_tell_that_it_is_gone(
    queue, spool, tmp_path, intake, monkeypatch
):
    sync = module.sync

    def refuse(path):
        if Path(path) == spool:
            raise OSError(errno.EINVAL, "Invalid argument")
        sync(path)

    monkeypatch.setattr(module, "sync", refuse)
    dropped, kept = drop(spool, "mail-1"), tmp_path / "second-name"
    os.link(dropped, kept)
    assert intake.scan() == 1
    os.link(kept, dropped)  # as after a power cut
    assert Intake(queue, [spool], add_message_id=True).scan() == 0
    assert not dropped.exists()
    assert len(messages(queue)) == 1


def test_what_could_not_be_forgotten_is_forgotten_before_the_next_file(
    queue, spool, tmp_path, intake, monkeypatch
):
    def refuse(tx, keys):
        raise QueueError("the queue", "is locked")

    dropped, kept = drop(spool, "mail-1"), tmp_path / "second-name"
    os.link(dropped, kept)
    with monkeypatch.context() as patch:
        patch.setattr(module, "forget_files", refuse)
        with pytest.raises(QueueError):
            intake.scan()
    os.link(kept, dropped)
    assert intake.scan() == 1
    assert len(messages(queue)) == 2


def test_what_another_daemon_has_taken_and_forgotten_is_not_taken_again(
    queue, spool, intake, monkeypatch
):
    sync = module.sync
    other = Intake(queue, [spool], add_message_id=True)

    def meanwhile(path):
        monkeypatch.setattr(module, "sync", sync)
        sync(path)
        assert other.scan() == 1

    monkeypatch.setattr(module, "sync", meanwhile)
    drop(spool, "mail-1")
    assert intake.scan() == 0
    assert len(messages(queue)) == 1


def test_a_file_that_cannot_be_removed_is_remembered_as_long_as_it_is_there(
    queue, spool, intake, monkeypatch, caplog
):
    def refuse(path):
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(os, "unlink", refuse)
    drop(spool, "mail-1")
    assert [intake.scan() for _ in range(3)] == [0, 0, 0]
    assert len(messages(queue)) == 1
    monkeypatch.setattr(reports, "LOOK_AGAIN_SECONDS", 0.0)
    later = time.time() + 6 * SECONDS_PER_DAY
    monkeypatch.setattr(module.time, "time", lambda: later)
    again = Intake(queue, [spool], add_message_id=True)
    assert [again.scan() for _ in range(3)] == [0, 0, 0]
    with queue.write() as tx:
        prune(tx, later + 6 * SECONDS_PER_DAY, 30, 0)
    # Whoever starts now still knows it.
    assert Intake(queue, [spool], add_message_id=True).scan() == 0
    assert len(messages(queue)) == 1
    assert len(errors(caplog)) == 2 + 1, "once for each start"


def test_another_file_with_the_same_name_is_another_mail(queue, spool, intake):
    for _ in range(2):
        drop(spool, "mail-1")
        assert intake.scan() == 1
    assert len(messages(queue)) == 2


def test_two_daemons_on_one_directory_take_each_file_once(queue, spool, monkeypatch):
    from concurrent.futures import ThreadPoolExecutor

    monkeypatch.setattr(module, "QUIET_SECONDS", 0.0)
    for number in range(40):
        drop(spool, f"mail-{number}")
    both = [Intake(queue, [spool], add_message_id=True) for _ in range(2)]
    with ThreadPoolExecutor(2) as threads:
        taken = sum(threads.map(Intake.scan, both))
    assert taken == len(messages(queue)) == 40
    assert list(spool.iterdir()) == []


def test_a_file_is_on_disk_before_its_mail_is_in_the_queue(
    queue, spool, intake, monkeypatch
):
    """Else a power cut could bring a part of it back, which would be another mail."""
    dropped = drop(spool, "mail-1")
    synced = []
    fsync = os.fsync

    def watched(descriptor):
        synced.append((os.fstat(descriptor).st_ino, messages(queue)))
        fsync(descriptor)

    inode = dropped.stat().st_ino
    monkeypatch.setattr(os, "fsync", watched)
    assert intake.scan() == 1
    assert synced[0] == (inode, [])
