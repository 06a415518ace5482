"""What the queue does not take stays where it is, and holds up nothing else."""

from __future__ import annotations

import os
from contextlib import closing

import pytest
from engine.intake.drops import MAIL, Ahead, drop, messages
from sqlalchemy import event

from collective.maildrophost.engine.intake import Intake, Untaken
from collective.maildrophost.engine.intake import scan as module
from collective.maildrophost.engine.queue import QueueError, open_queue


def test_files_stay_while_the_queue_cannot_be_written(queue, spool, intake):
    dropped = drop(spool, "mail-1")
    queue.path.rename(queue.path.with_suffix(".away"))
    with pytest.raises(QueueError):
        intake.scan()
    assert dropped.exists()
    queue.path.with_suffix(".away").rename(queue.path)
    assert intake.scan() == 1


def test_files_stay_while_the_directory_of_the_queue_is_away(
    spool, tmp_path, monkeypatch
):
    monkeypatch.setattr(module, "QUIET_SECONDS", 0.0)
    home, away = tmp_path / "home", tmp_path / "away"
    home.mkdir()
    dropped = drop(spool, "mail-1")
    with closing(open_queue(f"sqlite:///{home}/queue.db")) as queue:
        intake = Intake(queue, [spool], add_message_id=True)
        home.rename(away)
        with pytest.raises(QueueError):
            intake.scan()
        assert dropped.exists()
        away.rename(home)
        assert intake.scan() == 1


def test_a_dead_queue_is_waited_for_once_and_not_for_each_file(
    queue, spool, intake, monkeypatch
):
    tried = []
    write = queue.write
    monkeypatch.setattr(queue, "write", lambda: tried.append(1) or write())
    for number in range(3):
        drop(spool, f"mail-{number}")
    queue.path.rename(queue.path.with_suffix(".away"))
    with pytest.raises(QueueError):
        intake.scan()
    assert len(tried) == 1


@pytest.fixture
def cramped(queue, spool):
    """There is room for small mail only, and a large mail comes before two others."""

    def limit(connection, _record):
        connection.execute("PRAGMA max_page_count = 200")  # of 4 kB

    queue.close()
    event.listen(queue._engine, "connect", limit)
    drop(spool, "a-large", MAIL + b"x" * 2_000_000)
    for name in ("b-small", "c-small"):
        drop(spool, name)


def test_a_mail_that_the_disk_has_no_room_for_holds_up_no_other(
    queue, spool, intake, cramped
):
    with pytest.raises(Untaken, match="a-large: the disk is full"):
        intake.scan()
    assert os.listdir(spool) == ["a-large"]
    assert len(messages(queue)) == 2


def test_a_mail_that_was_not_taken_has_not_had_its_turn(spool, intake, cramped):
    """It may have come back: what is known of it is kept until then."""
    for _again in range(3):
        with pytest.raises(QueueError):
            intake.scan()
    assert not intake.looked_through
    (spool / "a-large").unlink()
    for _again in range(3):
        intake.scan()
    assert intake.looked_through


def test_a_mail_that_the_disk_has_no_room_for_is_tried_at_each_scan(
    queue, spool, cramped, monkeypatch
):
    """Else it would be reported anew after each scan that skipped it."""
    monkeypatch.setattr(module, "time", Ahead(3600))
    intake = Intake(queue, [spool], add_message_id=True)
    for _again in range(3):
        with pytest.raises(QueueError, match="disk is full"):
            intake.scan()
