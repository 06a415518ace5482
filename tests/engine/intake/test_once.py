"""A dropped file becomes one message exactly once, whatever happens meanwhile."""

from __future__ import annotations

import errno
import os
import time
from pathlib import Path

import pytest
from engine.intake.drops import (
    Ahead,
    Killed,
    drop,
    errors,
    kill,
    messages,
)
from waiting import wait_until

from collective.maildrophost.engine.intake import Intake, removal
from collective.maildrophost.engine.intake import scan as module
from collective.maildrophost.engine.queue import QueueError
from collective.maildrophost.engine.system import disk


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


def test_a_drop_directory_may_have_another_path_after_a_crash(
    queue, spool, tmp_path, intake, monkeypatch
):
    link = tmp_path / "link"
    link.symlink_to(tmp_path)
    drop(spool, "mail-1")
    with monkeypatch.context() as patch:
        patch.setattr(os, "unlink", kill)
        with pytest.raises(Killed):
            intake.scan()
    assert Intake(queue, [link / "spool"], add_message_id=True).scan() == 0
    assert len(messages(queue)) == 1
    assert list(spool.iterdir()) == []


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


def test_a_file_is_forgotten_once_its_removal_is_on_disk(spool, intake, monkeypatch):
    steps = []
    sync, forget = disk.sync, removal.forget_files

    def syncing(path):
        sync(path)
        steps.append((Path(path), os.listdir(spool)))

    def forgetting(tx, *files):
        forget(tx, *files)
        steps.append("forgotten")

    monkeypatch.setattr(disk, "sync", syncing)
    monkeypatch.setattr(removal, "forget_files", forgetting)
    drop(spool, "mail-1")
    intake.scan()
    assert steps == [(spool, []), "forgotten"]


def test_a_file_is_remembered_where_its_removal_cannot_be_synced(
    queue, spool, tmp_path, intake, monkeypatch
):
    sync = disk.sync

    def refuse(path):
        if Path(path) == spool:
            raise OSError(errno.EINVAL, "Invalid argument")
        sync(path)

    monkeypatch.setattr(disk, "sync", refuse)
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
    def refuse(tx, *files):
        raise QueueError("the queue", "is locked")

    dropped, kept = drop(spool, "mail-1"), tmp_path / "second-name"
    os.link(dropped, kept)
    with monkeypatch.context() as patch:
        patch.setattr(removal, "forget_files", refuse)
        with pytest.raises(QueueError):
            intake.scan()
    os.link(kept, dropped)
    assert intake.scan() == 1
    assert len(messages(queue)) == 2


def test_what_another_daemon_has_taken_and_forgotten_is_not_taken_again(
    queue, spool, intake, monkeypatch
):
    compose = module.compose
    other = Intake(queue, [spool], add_message_id=True)

    def meanwhile(*arguments, **options):
        monkeypatch.setattr(module, "compose", compose)
        assert other.scan() == 1
        return compose(*arguments, **options)

    monkeypatch.setattr(module, "compose", meanwhile)
    drop(spool, "mail-1")
    assert intake.scan() == 0
    assert len(messages(queue)) == 1


def keys(queue) -> int:
    with queue.read() as tx:
        return tx.exec_driver_sql("SELECT count(*) FROM maildrop_taken_file").scalar()


def test_a_crash_in_a_full_directory_leaves_few_keys_of_files_that_are_gone(
    queue, spool, intake, monkeypatch
):
    monkeypatch.setattr(removal, "FORGOTTEN_AT_ONCE", 3)
    for number in range(10):
        drop(spool, f"mail-{number}")
    drop(spool, "mail-9.lck")
    with monkeypatch.context() as patch:
        take = intake._take

        def take_or_die(file, *seen):
            return kill() if file.path.endswith("mail-8") else take(file, *seen)

        patch.setattr(intake, "_take", take_or_die)
        with pytest.raises(Killed):
            intake.scan()
    assert len(messages(queue)) == 8
    assert keys(queue) == 2


def test_the_directories_count_as_looked_through_when_each_file_has_had_its_time(
    queue, spool, tmp_path, monkeypatch
):
    other = tmp_path / "other"
    intake = Intake(queue, [other, spool], add_message_id=True)
    drop(spool, "just-written")

    def looked_through() -> bool:
        intake.scan()
        return intake.looked_through

    monkeypatch.setattr(module, "QUIET_SECONDS", 0.0)
    assert not any(looked_through() for _ in range(3)), "one of them is not there"
    monkeypatch.undo()
    other.mkdir()
    drop(spool, "just-written")
    wait_until(looked_through, what="the second look")
    assert list(spool.iterdir()) == []


def test_a_taken_file_that_somebody_else_has_removed_is_no_error(
    queue, spool, intake, monkeypatch, caplog
):
    dropped, ring = drop(spool, "mail-1"), module.doorbells
    monkeypatch.setattr(module, "doorbells", lambda tx: dropped.unlink() or ring(tx))
    assert intake.scan() == 1
    assert errors(caplog) == []
    assert keys(queue) == 0


def test_a_file_that_comes_during_a_long_look_has_not_had_its_turn(
    queue, spool, monkeypatch
):
    passed = 0.0

    class Clock(Ahead):
        def monotonic(self) -> float:
            return time.monotonic() + passed

    intake = Intake(queue, [spool], add_message_id=True)
    late, consider = drop(spool, "just-written"), intake._consider

    def consider_late(*file):
        nonlocal passed
        passed = 3600.0
        return consider(*file)

    monkeypatch.setattr(module, "time", Clock(0))
    monkeypatch.setattr(intake, "_consider", consider_late)
    intake.scan()
    intake.scan()
    assert not (intake.looked_through and late.exists())


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
