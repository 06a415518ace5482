"""The pid file, for old scripts; somebody may have prepared it."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from collective.maildrophost.engine.daemon.directories import UnusableDirectory
from collective.maildrophost.engine.daemon.pidfile import pid_file

OWN = f"{os.getpid()}\n"


@pytest.fixture
def in_a_directory_of_root(monkeypatch):
    """Root may remove any file, so the system's refusal is simulated."""

    def unlink(path, missing_ok=False):
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(path))

    monkeypatch.setattr(Path, "unlink", unlink)


def test_the_pid_file_goes_with_the_daemon(tmp_path):
    path = tmp_path / "maildrop.pid"
    with pid_file(path):
        assert path.read_text() == OWN
    assert not path.exists()


def test_a_pid_file_that_was_prepared_is_written_where_it_is(
    tmp_path, in_a_directory_of_root
):
    path = tmp_path / "maildrop.pid"
    path.write_text("1234567\n")
    inode = path.stat().st_ino
    with pid_file(path):
        assert path.read_text() == OWN
    assert (path.read_text(), path.stat().st_ino) == ("", inode)


def test_nothing_is_written_where_a_link_leads(tmp_path, in_a_directory_of_root):
    path, mail = tmp_path / "maildrop.pid", tmp_path / "mail"
    mail.write_text("precious")
    path.symlink_to(mail)
    with pytest.raises(UnusableDirectory, match="MAILDROP_PID_FILE"), pid_file(path):
        pass
    assert mail.read_text() == "precious"


def test_nothing_is_written_where_a_link_of_that_very_moment_leads(
    tmp_path, monkeypatch
):
    path, mail = tmp_path / "maildrop.pid", tmp_path / "mail"
    mail.write_text("precious")
    monkeypatch.setattr(Path, "unlink", lambda path, **_: path.symlink_to(mail))
    with pytest.raises(UnusableDirectory, match="File exists"), pid_file(path):
        pass
    assert mail.read_text() == "precious"


@pytest.mark.parametrize("found", [b"1234567\n", b"", b"\xff\xfe1\n"])
def test_the_pid_file_of_another_daemon_is_left(tmp_path, found):
    path = tmp_path / "maildrop.pid"
    with pid_file(path):
        path.write_bytes(found)
    assert path.read_bytes() == found


@pytest.mark.parametrize("mine", [b"SQLite format 3\0", b"MAILDROP_HOME='/srv'\n"])
def test_a_file_that_is_no_pid_file_is_never_replaced(tmp_path, mine):
    """A slip in the configuration must not cost the queue or the configuration."""
    path = tmp_path / "queue.db"
    path.write_bytes(mine)
    with pytest.raises(UnusableDirectory, match="is no pid file"), pid_file(path):
        pass
    assert path.read_bytes() == mine


@pytest.mark.parametrize("left", [b"", b"1234567", b" 12\r\n", bytes(8)])
def test_a_pid_file_that_is_left_over_is_replaced(tmp_path, left):
    path = tmp_path / "maildrop.pid"
    path.write_bytes(left)
    with pid_file(path):
        assert path.read_text() == OWN


@pytest.mark.parametrize("is_a_link", [False, True])
def test_a_device_is_not_replaced_by_a_file(is_a_link, tmp_path, monkeypatch):
    path = Path(os.devnull)
    if is_a_link:
        path = tmp_path / "maildrop.pid"
        path.symlink_to(os.devnull)
    removed = []
    monkeypatch.setattr(Path, "unlink", lambda path, **_: removed.append(path))
    with pid_file(path):
        pass
    assert not removed
