"""A ring wakes who listens; it never hurts who rings."""

from __future__ import annotations

import select
import socket
import stat
import tempfile
import time
from pathlib import Path

import pytest

from collective.maildrophost.engine.doorbell import listen, ring, socket_path


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
    assert rings(bell, 5)


def test_a_drained_bell_is_quiet_until_the_next_ring(bell):
    ring([str(bell.path)] * 3)
    bell.drain()
    assert not rings(bell)
    ring([str(bell.path)])
    assert rings(bell, 5)


def test_a_ring_never_waits_for_a_daemon_that_does_not_listen(bell):
    started = time.monotonic()
    ring([str(bell.path)] * 5000)
    assert time.monotonic() - started < 5
    assert rings(bell)


def test_one_dead_doorbell_does_not_keep_the_others_from_ringing(bell, tmp_path):
    not_a_socket = tmp_path / "file"
    not_a_socket.touch()
    dead = [str(tmp_path / "missing"), str(not_a_socket), "", "x" * 500]
    ring([*dead, str(bell.path)])
    assert rings(bell, 5)


def test_only_the_own_user_may_ring(bell):
    assert stat.S_IMODE(bell.path.stat().st_mode) == 0o600


def test_the_socket_goes_when_the_bell_is_closed(bell):
    bell.close()
    assert not bell.path.exists()


def test_the_socket_of_a_killed_daemon_does_not_block_the_next(bell):
    left = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    bell.close()
    left.bind(str(bell.path))
    left.close()
    again = listen(bell.path.parent)
    ring([str(again.path)])
    assert rings(again, 5)
    again.close()


def test_daemons_with_one_pid_have_a_doorbell_each(bell):
    """In containers that share a directory, while one takes the place of the other."""
    successor = listen(bell.path.parent)
    try:
        ring([str(bell.path), str(successor.path)])
        assert rings(bell, 5)
        bell.close()
        successor.drain()
        ring([str(successor.path)])
        assert rings(successor, 5)
    finally:
        successor.close()


def test_the_stand_in_does_not_depend_on_who_looks_for_it(tmp_path, monkeypatch):
    """Logins may have a TMPDIR each, and cron none."""
    deep = tmp_path / ("d" * 120)
    place = socket_path(deep, "x")
    try:
        monkeypatch.setenv("TMPDIR", str(tmp_path))
        monkeypatch.setattr(tempfile, "tempdir", None)
        assert socket_path(deep, "x") == place
    finally:
        place.parent.rmdir()


def test_a_directory_too_deep_for_a_socket_gets_a_private_stand_in(tmp_path):
    deep = tmp_path / ("d" * 120)
    deep.mkdir()
    bell = listen(deep)
    try:
        assert stat.S_IMODE(bell.path.parent.stat().st_mode) == 0o700
        ring([str(bell.path)])
        assert rings(bell, 5)
        assert socket_path(deep, bell.path.name) == bell.path
    finally:
        bell.close()
        bell.path.parent.rmdir()


def test_a_stand_in_that_others_may_write_is_refused(tmp_path):
    deep = tmp_path / ("e" * 120)
    stand_in = socket_path(deep, "x").parent
    try:
        stand_in.chmod(0o777)
        with pytest.raises(OSError, match="not a private directory"):
            socket_path(deep, "x")
    finally:
        stand_in.rmdir()


def test_what_a_killed_daemon_left_is_taken_away_by_the_next(bell):
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
