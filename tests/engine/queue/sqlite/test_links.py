"""The path of an SQLite queue is a link, which leads to its file."""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing

import pytest
from engine.queue.mails import length

from collective.maildrophost.engine.queue import (
    QueueError,
    empty_large_wal,
    exists,
    open_queue,
)
from collective.maildrophost.engine.queue.sqlite import housekeeping, presence


@pytest.fixture
def target(tmp_path):
    return tmp_path / "data" / "mail.db"


@pytest.fixture
def link(path, target):
    """The queue's name is a link to `target`, where there is nothing yet."""
    target.parent.mkdir()
    path.parent.mkdir()
    path.symlink_to(target)


@pytest.fixture
def made(link, target):
    open_queue(f"sqlite:///{target}").close()


def test_no_other_queue_is_made_where_a_link_leads(
    made, queue, hands, target, monkeypatch
):
    monkeypatch.setattr(presence, "PATIENCE_SECONDS", 0.1)
    hands.send()
    away = target.rename(target.with_name("away"))
    for url in queue.url, f"sqlite:///{target}":
        for use in open_queue, exists:
            with pytest.raises(QueueError, match="removed while others have it open"):
                use(url)
    away.rename(target)
    assert length(queue) == 1


def test_the_wal_beside_the_target_of_a_link_is_seen_and_emptied(
    made, queue, hands, target, monkeypatch
):
    monkeypatch.setattr(housekeeping, "LARGE_WAL_BYTES", 100_000)
    log = target.with_name("mail.db-wal")
    with closing(sqlite3.connect(target, isolation_level=None)) as reader:
        reader.execute("BEGIN")
        reader.execute("SELECT count(*) FROM sqlite_master").fetchone()
        hands.send(hands.mail(octets=200_000))
        assert housekeeping.room(queue).wal_bytes == log.stat().st_size > 100_000
        assert not empty_large_wal(queue)
    assert empty_large_wal(queue)
    assert log.stat().st_size == 0


def test_a_link_to_nothing_is_an_error_and_no_queue_still_to_be_made(link, url, target):
    """The disk it leads to may be away."""
    for use in exists, open_queue:
        with pytest.raises(QueueError, match=f"a link to {target}, which is not there"):
            use(url)
    assert not target.exists()


def test_a_link_that_now_leads_elsewhere_is_not_followed(
    made, queue, hands, path, target
):
    hands.send()
    other = target.with_name("other.db")
    open_queue(f"sqlite:///{other}").close()
    path.unlink()
    path.symlink_to(other)
    with pytest.raises(QueueError, match=r"removed or replaced.*put it back"):
        hands.send()
    assert queue.replaced
    path.unlink()
    path.symlink_to(os.path.relpath(target, path.parent))
    assert length(queue) == 1
