"""A queue on SQLite is opened where it will be safe, or an error says what to do."""

from __future__ import annotations

import errno
import logging

import pytest

from collective.maildrophost.engine.queue import QueueError, exists, open_queue
from collective.maildrophost.engine.queue.sqlite import database, filesystem, lock
from collective.maildrophost.engine.queue.sqlite.presence import Presence
from collective.maildrophost.engine.system import disk


def test_opening_a_queue_again_changes_nothing(queue, path):
    queue.close()
    before = path.read_bytes()
    open_queue(queue.url).close()
    assert path.read_bytes() == before


def test_opening_a_queue_waits_for_nobody_who_writes(queue, monkeypatch):
    monkeypatch.setattr(lock, "BUSY_TIMEOUT_SECONDS", 0.0)
    with queue.write():
        open_queue(queue.url).close()


def test_a_program_that_logs_everything_hears_nothing_of_connections(queue, caplog):
    caplog.set_level(logging.INFO)
    open_queue(queue.url).close()
    assert caplog.messages == []


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


@pytest.mark.parametrize("ask", [open_queue, exists])
def test_a_user_who_may_not_look_at_the_queue_is_told_which_user_may(
    queue, path, monkeypatch, ask
):
    def refuse(*_arguments):
        raise PermissionError(errno.EACCES, "Permission denied", str(path))

    monkeypatch.setattr(Presence, "_is_there", refuse)
    with pytest.raises(QueueError, match=r"denied: .*: Zope, .* run as one user who"):
        ask(queue.url)


@pytest.mark.parametrize("ask", [open_queue, exists])
def test_a_path_that_the_system_refuses_is_an_error_of_the_queue(tmp_path, ask):
    with pytest.raises(QueueError, match=r"embedded null (byte|character)"):
        ask(f"sqlite:///{tmp_path}/a\0b/queue.db")


def test_the_name_of_a_new_directory_is_on_disk_before_there_is_mail_in_it(
    tmp_path, monkeypatch
):
    # SQLite syncs what it makes itself, in the directory.
    steps = []
    sync, make = disk.sync, database._make_file
    monkeypatch.setattr(disk, "sync", lambda path: steps.append(path) or sync(path))
    monkeypatch.setattr(
        database, "_make_file", lambda path: steps.append(path) or make(path)
    )
    path = tmp_path / "home" / "queue.db"
    open_queue(f"sqlite:///{path}").close()
    assert steps == [tmp_path, path]


def test_a_path_that_is_a_directory_is_an_error_that_says_so(tmp_path):
    with pytest.raises(QueueError, match="cannot be opened"):
        open_queue(f"sqlite:///{tmp_path}")


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("", "not a database URL"),
        ("queue.db", "not a database URL"),
        ("postgresql+psycopg://me:sesame7", "not a database URL"),
        ("mysql://me:sesame7@localhost/queue", "expected ?"),
        ("sqlite://", "names no file"),
        ("sqlite:///:memory:", "names no file"),
    ],
)
def test_a_url_without_a_database_is_an_error(url, words):
    with pytest.raises(QueueError, match=f"{words}.*sqlite:////PATH") as caught:
        open_queue(url)
    assert "sesame7" not in str(caught.value)


def test_a_network_file_system_is_recognized(tmp_path):
    mounts = tmp_path / "mounts"
    mounts.write_text(
        "/dev/sda / ext4 rw 0 0\n"
        "server:/x /srv nfs4 rw 0 0\n"
        f"tmpfs {tmp_path}/with\\040blank tmpfs rw 0 0\n"
        "/dev/sdb /srv/local xfs rw 0 0\n"
    )
    (tmp_path / "with blank").mkdir()

    def kind(path):
        return filesystem.file_system(path, mounts)

    assert kind(tmp_path) == "ext4"
    assert kind(tmp_path / "with blank" / "queue.db") == "tmpfs"
    assert kind(type(tmp_path)("/srv/queue.db")) == "nfs4"
    assert kind(type(tmp_path)("/srvx/queue.db")) == "ext4"
    assert kind(type(tmp_path)("/srv/local/queue.db")) == "xfs"


def test_a_queue_on_a_network_file_system_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(filesystem, "file_system", lambda path: "nfs4")
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
    assert database.has_wal_reset_bug(version) is broken
