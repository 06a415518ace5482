"""A dropped file becomes one message, exactly once; what is no mail is left alone."""

from __future__ import annotations

import errno
import os
import time
from pathlib import Path

import pytest
from waiting import wait_until

from collective.maildrophost.engine import intake as module
from collective.maildrophost.engine.intake import Intake
from collective.maildrophost.engine.message import Lane
from collective.maildrophost.engine.queue import (
    QueueError,
    content,
    list_messages,
    open_queue,
    prune,
)
from collective.maildrophost.engine.queue.prune import SECONDS_PER_DAY

MAIL = b"##To:b@x.org\n##From:a@x.org\nMessage-Id: <1@x>\nSubject: hello\n\nbody\n"


@pytest.fixture
def queue(tmp_path):
    queue = open_queue(f"sqlite:///{tmp_path}/queue.db")
    yield queue
    queue.close()


@pytest.fixture
def spool(tmp_path):
    spool = tmp_path / "spool"
    spool.mkdir()
    return spool


@pytest.fixture
def intake(queue, spool, monkeypatch):
    # The waiting itself is tested below, with the real time.
    monkeypatch.setattr(module, "QUIET_SECONDS", 0.0)
    return Intake(queue, [spool], add_message_id=True)


def drop(spool: Path, name: str, data: bytes = MAIL) -> Path:
    (spool / name).write_bytes(data)
    return spool / name


def messages(queue):
    with queue.read() as tx:
        return list_messages(tx)


def errors(caplog):
    return [each.getMessage() for each in caplog.records if each.levelname == "ERROR"]


def test_a_dropped_file_becomes_a_message_and_goes(queue, spool, intake):
    dropped = drop(spool, "mail-1")
    assert intake.scan() == 1
    assert not dropped.exists()
    (record,) = messages(queue)
    assert (record.sender, record.recipients[0].address) == ("a@x.org", "b@x.org")
    assert (record.message_id, record.origin) == ("<1@x>", "drop directory")
    with queue.read() as tx:
        assert content(tx, record.id) == MAIL.partition(b"##From:a@x.org\n")[2]


def test_files_are_taken_in_the_order_of_their_names(queue, spool, intake):
    for name in ("c", "a", "b"):
        drop(spool, name, MAIL.replace(b"hello", name.encode()))
    assert intake.scan() == 3
    assert [each.subject for each in messages(queue)] == ["a", "b", "c"]


def test_lane_and_time_of_a_file_are_kept(queue, spool, intake):
    lines = b"##To:b@x.org\n##Lane:bulk\n##At:2100-01-01T00:00:00Z\n##From:a@x.org\n"
    drop(spool, "later", lines + b"Subject: x\n\n")
    intake.scan()
    (record,) = messages(queue)
    assert (record.lane, record.due) == (Lane.BULK, 4102444800.0)


def test_a_locked_file_is_left_until_its_lock_goes(queue, spool, intake):
    lock = drop(spool, "mail-1.lck", b"")
    dropped = drop(spool, "mail-1")
    assert intake.scan() == 0
    assert dropped.exists()
    lock.unlink()
    assert intake.scan() == 1


def test_a_lock_made_while_the_file_is_read_keeps_it_there(
    queue, spool, intake, monkeypatch
):
    dropped = drop(spool, "mail-1")
    read = Path.read_bytes

    def lock_and_read(path):
        data = read(path)
        drop(spool, "mail-1.lck", b"")
        return data

    monkeypatch.setattr(Path, "read_bytes", lock_and_read)
    assert intake.scan() == 0
    assert dropped.exists()
    assert messages(queue) == []


def test_a_file_that_changes_while_it_is_read_is_not_judged(
    spool, intake, monkeypatch, caplog
):
    read = Path.read_bytes

    def reading(path):
        half = read(path)[:20]
        drop(spool, "mail-1", MAIL + b"more\n")
        return half

    drop(spool, "mail-1")
    with monkeypatch.context() as patch:
        patch.setattr(Path, "read_bytes", reading)
        assert intake.scan() == 0
    assert errors(caplog) == []
    assert intake.scan() == 1


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("notes.txt", b"To:b@x.org\n"),
        ("empty", b""),
        ("almost", b"##To"),
        ("blank-first", b"\n" + MAIL),
        (".hidden", MAIL),
    ],
)
def test_what_is_no_mail_file_is_never_touched(
    queue, spool, intake, caplog, name, data
):
    other = drop(spool, name, data)
    before = other.stat()
    assert intake.scan() == 0
    assert other.read_bytes() == data
    assert other.stat().st_mtime_ns == before.st_mtime_ns
    assert errors(caplog) == []


def test_directories_links_and_pipes_are_left_alone(queue, spool, tmp_path, intake):
    (spool / "directory").mkdir()
    drop(spool / "directory", "inside")
    (spool / "link").symlink_to(drop(tmp_path, "elsewhere"))
    os.mkfifo(spool / "pipe")
    assert intake.scan() == 0
    assert len(list(spool.iterdir())) == 3


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"##To:b@x.org\nSubject: x\n\n", "##From:"),
        (b"##To:\n##From:a@x.org\nSubject: x\n\n", "no recipient"),
        (b"##To:b@x.org\n##From:a@x.org\n##Lane:fast\n\nx", "lane"),
        (b"##To:b@x.org\n##From:a@x.org\n", "no message"),
        (b"##To:b@x.org\n##Reply:a@x.org\n\nx", "unknown line"),
    ],
)
def test_a_malformed_file_is_reported_once_and_stays(
    queue, spool, intake, caplog, data, words
):
    bad, good = drop(spool, "bad", data), drop(spool, "good")
    assert intake.scan() == 1
    assert intake.scan() == 0
    (error,) = errors(caplog)
    assert str(bad) in error
    assert words in error
    assert bad.read_bytes() == data
    assert not good.exists()


def test_a_malformed_file_that_was_mended_is_taken(queue, spool, intake):
    bad = drop(spool, "bad", b"##To:b@x.org\n\nx")
    intake.scan()
    bad.write_bytes(MAIL)
    assert intake.scan() == 1


def test_a_file_that_is_too_large_is_reported_once(
    queue, spool, intake, caplog, monkeypatch
):
    monkeypatch.setattr(module, "LARGEST_FILE_BYTES", len(MAIL) - 1)
    dropped = drop(spool, "huge")
    assert intake.scan() == intake.scan() == 0
    assert len(errors(caplog)) == 1
    assert dropped.exists()


def test_a_directory_that_is_gone_is_reported_once_and_heals(
    queue, spool, intake, caplog
):
    spool.rmdir()
    intake.scan()
    intake.scan()
    assert len(errors(caplog)) == 1
    spool.mkdir()
    drop(spool, "mail-1")
    assert intake.scan() == 1


def test_a_crash_between_commit_and_unlink_queues_nothing_twice(
    queue, spool, intake, monkeypatch
):
    class Killed(BaseException):
        pass

    def kill(path):
        raise Killed

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
    class Killed(BaseException):
        pass

    def kill(*arguments):
        raise Killed

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


def test_the_name_of_a_file_may_be_any(queue, spool, intake, caplog):
    caplog.set_level("INFO")
    names = [b"a", b"m\xfcll", "grün".encode(), b"line\nbreak", b"z"]
    for name in names:
        drop(spool, os.fsdecode(name))
    bad = drop(spool, os.fsdecode(b"\xff"), b"##To:b@x.org\nSubject: x\n\n")
    assert intake.scan() == len(names)
    assert list(spool.iterdir()) == [bad]
    assert errors(caplog)[0].startswith(f"{spool}/\\xff is left where it is")
    for record in caplog.records:
        record.getMessage().encode()


def test_a_file_that_cannot_be_removed_is_remembered_as_long_as_it_is_there(
    queue, spool, intake, monkeypatch, caplog
):
    def refuse(path):
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(os, "unlink", refuse)
    drop(spool, "mail-1")
    assert [intake.scan() for _ in range(3)] == [0, 0, 0]
    assert len(messages(queue)) == 1
    monkeypatch.setattr(module, "LOOK_AGAIN_SECONDS", 0.0)
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


def test_a_reported_file_is_tried_again_in_silence(spool, intake, monkeypatch, caplog):
    monkeypatch.setattr(module, "LOOK_AGAIN_SECONDS", 0.0)
    reads = []
    parse = module.mailfile.parse
    monkeypatch.setattr(
        module.mailfile, "parse", lambda data: reads.append(data) or parse(data)
    )
    drop(spool, "bad", b"##To:b@x.org\nSubject: x\n\n")
    assert [intake.scan() for _ in range(3)] == [0, 0, 0]
    assert len(reads) == 3
    assert len(errors(caplog)) == 1


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


def test_files_stay_while_the_queue_cannot_be_written(queue, spool, intake):
    dropped = drop(spool, "mail-1")
    queue.path.rename(queue.path.with_suffix(".away"))
    with pytest.raises(QueueError):
        intake.scan()
    assert dropped.exists()
    queue.path.with_suffix(".away").rename(queue.path)
    assert intake.scan() == 1


def test_a_growing_file_is_taken_only_when_it_is_quiet(queue, spool):
    intake = Intake(queue, [spool], add_message_id=True)
    started = time.monotonic()
    with open(spool / "growing", "wb", buffering=0) as file:
        file.write(MAIL)

        def grow() -> bool:
            file.write(b"more\n")
            assert intake.scan() == 0
            return time.monotonic() - started > 1.2

        wait_until(grow, 10)
        last = time.monotonic()
    assert intake.waits
    wait_until(intake.scan, 10, "the file's turn")
    assert time.monotonic() - last >= 0.9
    (record,) = messages(queue)
    with queue.read() as tx:
        assert content(tx, record.id).endswith(b"more\n")


def test_a_file_from_the_future_is_taken_when_it_was_seen_quiet(queue, spool):
    intake = Intake(queue, [spool], add_message_id=True)
    dropped = drop(spool, "future")
    tomorrow = time.time() + 86400
    os.utime(dropped, (tomorrow, tomorrow))
    assert intake.scan() == 0
    wait_until(intake.scan, 10, "the file's turn")


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
