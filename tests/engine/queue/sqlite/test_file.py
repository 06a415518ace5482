"""The file of an SQLite queue: removed, replaced, or out of reach."""

from __future__ import annotations

import os
from contextlib import contextmanager, suppress
from urllib.parse import quote

import pytest
from engine.queue.mails import length

from collective.maildrophost.engine.queue import (
    QueueError,
    exists,
    open_queue,
)


def test_a_file_that_was_removed_is_no_longer_written_to(hands, path):
    path.unlink()
    with pytest.raises(QueueError, match=r"removed or replaced.*put it back"):
        hands.send()


def test_a_file_that_was_removed_takes_no_room_on_the_disk(hands, path):
    """As long as Zope runs, which may be months."""
    hands.send()
    path.unlink()
    with pytest.raises(QueueError):
        hands.send()
    held = []
    for each in os.scandir("/proc/self/fd"):
        with suppress(FileNotFoundError):  # that of the look itself
            held.append(os.readlink(each))
    assert not [each for each in held if each.startswith(str(path))]


def test_a_file_that_was_put_back_is_used_again(hands, path):
    hands.send()
    away = path.with_suffix(".away")
    path.rename(away)
    with pytest.raises(QueueError):
        hands.send()
    away.rename(path)
    hands.send()
    assert len(hands.claim()) == 2


@contextmanager
def gone(path):
    """Somebody has moved the file away; nobody makes another one."""
    away = path.with_suffix(".away")
    path.rename(away)
    yield
    assert not path.exists()
    away.rename(path)


def test_a_file_that_we_may_not_look_at_is_not_said_to_be_missing(tmp_path):
    # Root may look everywhere; a name too long for any file fails in the same way.
    with pytest.raises(QueueError, match="File name too long"):
        exists(f"sqlite:///{tmp_path}/{'x' * 300}/queue.db")


def test_a_file_that_is_gone_is_not_made_anew_and_is_read_when_it_is_back(
    hands, queue, path
):
    hands.send()
    with gone(path):
        for use in (lambda: length(queue), hands.send, lambda: length(queue)):
            with pytest.raises(QueueError, match="removed or replaced"):
                use()
    assert length(queue) == 1
    hands.send()
    assert length(queue) == 2


@pytest.mark.parametrize("begin", ["read", "write"])
def test_a_file_that_goes_before_it_is_connected_to_is_not_made(
    hands, queue, path, begin, monkeypatch
):
    hands.send()
    queue.close()
    with monkeypatch.context() as patch, gone(path):
        patch.setattr(queue.database, "check", lambda: None)
        with pytest.raises(QueueError), getattr(queue, begin)():
            pass
    assert length(queue) == 1


def test_no_connection_is_made_to_another_file_in_its_place(
    hands, queue, path, monkeypatch
):
    hands.send()
    queue.close()
    monkeypatch.setattr(queue.database, "check", lambda: None)
    away = path.rename(path.with_suffix(".away"))
    path.touch()
    with pytest.raises(QueueError, match="removed or replaced"):
        length(queue)
    assert path.read_bytes() == b"", "nothing was written there"
    away.replace(path)
    assert length(queue) == 1


@pytest.mark.parametrize("name", ["a b", "50%", "what?", "no#1", "grüße"])
def test_a_directory_may_have_any_name(tmp_path, name):
    queue = open_queue(f"sqlite:///{tmp_path}/{quote(name)}/queue.db")
    assert length(queue) == 0
    queue.close()
    assert queue.path.stat().st_size
