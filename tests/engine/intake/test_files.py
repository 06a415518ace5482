"""A dropped file becomes one message; what is no mail is left alone."""

from __future__ import annotations

import os
import subprocess
import sys
import tracemalloc
from contextlib import closing

import pytest
from engine.intake.drops import MAIL, drop, errors, messages, when_read

from collective.maildrophost.engine import doorbell
from collective.maildrophost.engine.intake import Intake
from collective.maildrophost.engine.intake import scan as module
from collective.maildrophost.engine.message import Lane
from collective.maildrophost.engine.queue import content, open_queue


def test_a_dropped_file_becomes_a_message_and_goes(queue, spool, intake):
    dropped = drop(spool, "mail-1")
    assert intake.scan() == 1
    assert not dropped.exists()
    (record,) = messages(queue)
    assert (record.sender, record.recipients[0].address) == ("a@x.org", "b@x.org")
    assert (record.message_id, record.origin) == ("<1@x>", "drop directory")
    with queue.read() as tx:
        assert content(tx, record.id) == MAIL.partition(b"##From:a@x.org\n")[2]


def test_no_message_id_is_added_when_it_is_not_wanted(queue, spool, monkeypatch):
    monkeypatch.setattr(module, "QUIET_SECONDS", 0.0)
    mail = b"Subject: hello\n\nbody\n"
    drop(spool, "mail-1", b"##To:b@x.org\n##From:a@x.org\n" + mail)
    assert Intake(queue, [spool], add_message_id=False).scan() == 1
    (record,) = messages(queue)
    with queue.read() as tx:
        assert content(tx, record.id) == mail


def test_the_mail_of_a_large_file_is_in_memory_twice_at_most(spool, intake):
    """The database takes as much again; what kills the daemon stops all mail."""
    size = 20 * 2**20
    drop(spool, "large", b"##To:b@x.org\n##From:a@x.org\n\n" + b"x\n" * (size // 2))
    tracemalloc.start()
    try:
        assert intake.scan() == 1
        _now, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 2.2 * size


def test_a_lock_is_no_mail_whatever_is_in_it(queue, spool, intake):
    lock = drop(spool, "mail-1.lck")
    assert intake.scan() == 0
    assert lock.exists()
    assert messages(queue) == []


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


def test_a_locked_file_is_left_until_its_lock_goes(spool, intake):
    lock = drop(spool, "mail-1.lck", b"")
    dropped = drop(spool, "mail-1")
    assert intake.scan() == 0
    assert dropped.exists()
    lock.unlink()
    assert intake.scan() == 1


def test_a_file_whose_lock_is_made_while_it_is_read_is_left_there(
    queue, spool, intake, monkeypatch
):
    dropped = drop(spool, "mail-1")

    def lock(data):
        drop(spool, "mail-1.lck", b"")
        return data

    when_read(monkeypatch, lock)
    assert intake.scan() == 0
    assert dropped.exists()
    assert messages(queue) == []


def test_a_file_that_changes_while_it_is_read_is_not_judged(
    spool, intake, monkeypatch, caplog
):
    def half(data):
        drop(spool, "mail-1", MAIL + b"more\n")
        return data[:20]

    drop(spool, "mail-1")
    with monkeypatch.context() as patch:
        when_read(patch, half)
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
def test_what_is_no_mail_file_is_never_touched(spool, intake, caplog, name, data):
    other = drop(spool, name, data)
    before = other.stat()
    assert intake.scan() == 0
    assert other.read_bytes() == data
    assert other.stat().st_mtime_ns == before.st_mtime_ns
    assert errors(caplog) == []


def test_a_scan_leaves_no_file_open(spool, intake):
    drop(spool, "notes.txt", b"To:b@x.org\n")
    intake.scan()
    before = len(os.listdir("/dev/fd"))
    for _again in range(3):
        intake.scan()
    assert len(os.listdir("/dev/fd")) == before


def test_directories_are_left_alone(spool, intake, caplog):
    (spool / "directory").mkdir()
    drop(spool / "directory", "inside")
    assert intake.scan() == 0
    assert (spool / "directory" / "inside").exists()
    assert errors(caplog) == []


def test_the_queue_keeps_its_locks_where_its_directory_is_a_drop_directory(tmp_path):
    """A process that opens and closes a file loses all its locks on it (fcntl(2))."""
    with closing(open_queue(f"sqlite:///{tmp_path}/queue.db")) as queue:
        intake = Intake(queue, [tmp_path], add_message_id=True)
        with queue.write():
            assert intake.scan() == 0
            another = subprocess.run(
                [sys.executable, "-c", WRITES, tmp_path / "queue.db"],
                capture_output=True,
                text=True,
            )
    assert "database is locked" in another.stderr


WRITES = """
import sqlite3, sys
sqlite3.connect(sys.argv[1], timeout=0).execute("BEGIN IMMEDIATE")
"""


def test_links_and_pipes_are_reported_once_and_left_alone(
    spool, tmp_path, intake, caplog
):
    (spool / "link").symlink_to(drop(tmp_path, "elsewhere"))
    (spool / "nowhere").symlink_to("missing")
    os.mkfifo(spool / "pipe")
    for _again in range(2):
        assert intake.scan() == 0
    assert len(list(spool.iterdir())) == 3
    assert len(errors(caplog)) == 3
    assert all(
        "only regular files are taken, no links" in each for each in errors(caplog)
    )


def test_the_daemons_own_socket_is_no_matter_of_the_log(spool, intake, caplog):
    """As where MAILDROP_VAR is a drop directory."""
    with closing(doorbell.listen(spool)):
        assert intake.scan() == 0
    assert errors(caplog) == []


def test_a_file_may_have_any_name(spool, intake, caplog):
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


def test_a_scan_that_is_to_stop_takes_no_more_files(queue, spool, intake, monkeypatch):
    take = module.take_file

    def taking(*arguments):
        intake.stop()
        return take(*arguments)

    monkeypatch.setattr(module, "take_file", taking)
    taken, left = drop(spool, "mail-1"), drop(spool, "mail-2")
    assert [intake.scan() for _ in range(3)] == [1, 0, 0]
    assert (taken.exists(), left.exists()) == (False, True)
    assert not intake.looked_through
    assert Intake(queue, [spool], add_message_id=True).scan() == 1
