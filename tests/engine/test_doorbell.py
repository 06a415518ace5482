"""A ring wakes whoever listens, and never hurts whoever rings."""

from __future__ import annotations

import errno
import select
import socket
import stat
import tempfile
import threading
from pathlib import Path

import pytest
from waiting import PATIENCE_SECONDS

from collective.maildrophost.engine import doorbell
from collective.maildrophost.engine.doorbell import answers, is_dead, listen, ring
from collective.maildrophost.engine.system import socketaddress


@pytest.fixture
def bell():
    # Not tmp_path: pytest's names may be longer than a socket's may be.
    with tempfile.TemporaryDirectory() as folder:
        bell = listen(Path(folder))
        yield bell
        bell.close()


def rings(bell, seconds=0.0):
    return bool(select.select([bell], [], [], seconds)[0])


def test_a_ring_is_heard(bell):
    assert not rings(bell)
    ring([str(bell.path)])
    assert rings(bell, PATIENCE_SECONDS)


def test_a_drained_bell_is_quiet_until_the_next_ring(bell):
    ring([str(bell.path)] * 3)
    bell.drain()
    assert not rings(bell)
    ring([str(bell.path)])
    assert rings(bell, PATIENCE_SECONDS)


def test_a_ring_never_waits_for_a_daemon_that_does_not_listen(bell):
    ringing = threading.Thread(
        target=ring, args=([str(bell.path)] * 5000,), daemon=True
    )
    ringing.start()
    ringing.join(PATIENCE_SECONDS)
    assert not ringing.is_alive()
    assert rings(bell)


def test_one_dead_doorbell_does_not_keep_the_others_from_ringing(bell, tmp_path):
    not_a_socket = tmp_path / "file"
    not_a_socket.touch()
    dead = [str(tmp_path / "missing"), str(not_a_socket), "", "x" * 500]
    ring([*dead, str(bell.path)])
    assert rings(bell, PATIENCE_SECONDS)


def test_only_the_daemons_own_user_may_ring(bell):
    assert stat.S_IMODE(bell.path.stat().st_mode) == 0o600


def test_a_bell_that_hangs_again_is_heard_whatever_has_come_in_its_place(bell):
    """As a disk that was away, which brings the socket of then back."""
    away = bell.path.with_name("away")
    bell.path.rename(away)
    assert not bell.hangs()
    bell.hang_again()
    away.rename(bell.path)
    assert not bell.hangs()
    bell.hang_again()
    assert bell.hangs()
    ring([str(bell.path)])
    assert rings(bell, PATIENCE_SECONDS)


def test_a_bell_that_could_not_hang_again_is_not_taken_for_one_that_does(bell):
    directory = bell.path.parent
    away = directory.with_name(f"{directory.name}-away")
    directory.rename(away)
    with pytest.raises(FileNotFoundError):
        bell.hang_again()
    away.rename(directory)
    assert not bell.hangs()
    bell.hang_again()
    assert bell.hangs()


def test_a_bell_for_which_there_is_no_socket_can_be_listened_to_all_the_same(
    bell, monkeypatch
):
    """With too many open files; the event loop takes no closed one."""

    def none():
        raise OSError(errno.EMFILE, "too many open files")

    with monkeypatch.context() as patched:
        patched.setattr(doorbell, "_datagram_socket", none)
        with pytest.raises(OSError, match="open files"):
            bell.hang_again()
    assert bell.fileno() >= 0
    assert not bell.hangs()
    bell.hang_again()
    assert bell.hangs()


def test_the_socket_is_removed_when_the_bell_is_closed(bell):
    bell.close()
    assert not bell.path.exists()


def test_the_socket_of_a_killed_daemon_does_not_block_the_next(bell):
    left = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    bell.close()
    left.bind(str(bell.path))
    left.close()
    again = listen(bell.path.parent)
    ring([str(again.path)])
    assert rings(again, PATIENCE_SECONDS)
    again.close()


def test_daemons_with_one_pid_have_a_doorbell_each(bell):
    """As in containers that share a directory, while one replaces the other."""
    successor = listen(bell.path.parent)
    try:
        ring([str(bell.path), str(successor.path)])
        assert rings(bell, PATIENCE_SECONDS)
        bell.close()
        successor.drain()
        ring([str(successor.path)])
        assert rings(successor, PATIENCE_SECONDS)
    finally:
        successor.close()


@pytest.fixture
def deep(tmp_path):
    """A directory whose path is too long for a socket's."""
    directory = tmp_path / ("d" * 120)
    directory.mkdir()
    return directory


def test_a_bell_in_a_deep_directory_is_found_there_and_heard(deep):
    """By others as well, with another TMPDIR or in another container."""
    bell = listen(deep)
    try:
        assert bell.path.parent == deep
        assert stat.S_IMODE(bell.path.stat().st_mode) == 0o600
        ring([str(bell.path)])
        assert rings(bell, PATIENCE_SECONDS)
    finally:
        bell.close()
    assert list(deep.iterdir()) == []


def test_a_bell_in_a_deep_directory_leaves_no_temporary_file(deep, monkeypatch):
    """A stranger could put something in its place."""
    with tempfile.TemporaryDirectory(dir="/tmp") as temporary:
        monkeypatch.setattr(socketaddress, "TEMPORARY", temporary)
        bell = listen(deep)
        ring([str(bell.path)])
        assert rings(bell, PATIENCE_SECONDS)
        assert list(Path(temporary).iterdir()) == []
        bell.close()


def test_what_was_left_in_a_deep_directory_is_removed_by_the_next_daemon(deep):
    killed = listen(deep)
    killed._socket.close()
    second = listen(deep)
    try:
        assert list(deep.iterdir()) == [second.path]
    finally:
        second.close()


def test_a_bell_tells_whether_somebody_listens(deep):
    bell = listen(deep)
    path = str(bell.path)
    assert (answers(path), is_dead(path)) == (True, False)
    bell._socket.close()
    assert (answers(path), is_dead(path)) == (False, True)
    bell.close()
    assert (answers(path), is_dead(path)) == (False, False), "nobody can tell"


def test_where_no_bell_can_be_made_the_daemon_goes_on_with_a_warning(
    deep, monkeypatch, caplog
):
    monkeypatch.setattr(socketaddress, "TEMPORARY", str(deep / "missing"))
    bell = listen(deep)
    assert not rings(bell)
    bell.drain()
    assert bell.path.parent == deep, "by which a command knows its daemon"
    bell.close()
    [record] = caplog.records
    assert "No such file or directory" in record.getMessage()
    assert "MAILDROP_INTERVAL" in record.getMessage()


def test_a_ring_that_finds_no_way_to_its_bell_hurts_nobody(deep, monkeypatch):
    bell = listen(deep)
    monkeypatch.setattr(socketaddress, "TEMPORARY", str(deep / "missing"))
    ring([str(bell.path)])
    assert not rings(bell)
    bell.close()


def test_what_a_killed_daemon_left_is_removed_by_the_next(bell):
    dead = bell.path.with_name("doorbell.1")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as killed:
        killed.bind(str(dead))
    other = bell.path.with_name("something-else")
    other.touch()
    first = bell.path.rename(bell.path.with_name("doorbell.2"))
    second = listen(bell.path.parent)
    try:
        assert not dead.exists()
        assert first.exists()
        assert other.exists()
    finally:
        second.close()
        first.unlink()
