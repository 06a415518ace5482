"""A file that cannot be removed is one message, for as long as it is there."""

from __future__ import annotations

import errno
import os
import time

import pytest
from engine.intake.drops import MAIL, drop, errors, kill, messages, put_back

from collective.maildrophost.engine.intake import Intake, removal, reports
from collective.maildrophost.engine.queue import prune_files
from collective.maildrophost.engine.queue.prune import SECONDS_PER_DAY


@pytest.fixture
def unremovable(monkeypatch):
    """As files of others are in a directory with the sticky bit."""

    def refuse(path):
        raise PermissionError(errno.EPERM, "Operation not permitted")

    with monkeypatch.context() as patch:
        patch.setattr(os, "unlink", refuse)
        yield patch


def later(queue) -> None:
    """Years pass without a look at the drop directory."""
    with queue.write() as tx:
        prune_files(tx, time.time() + 10_000 * SECONDS_PER_DAY)


def test_a_file_that_cannot_be_removed_is_remembered_for_as_long_as_it_is_there(
    queue, spool, intake, unremovable
):
    drop(spool, "mail-1")
    assert [intake.scan() for _ in range(3)] == [1, 0, 0]
    later(queue)
    # Whoever starts now still knows it, and has it for years more.
    for _ in range(2):
        again = Intake(queue, [spool], add_message_id=True)
        assert [again.scan() for _ in range(3)] == [0, 0, 0]
        later(queue)
    assert len(messages(queue)) == 1


def test_a_file_that_cannot_be_removed_is_named_once_with_its_message(
    queue, spool, intake, unremovable, caplog, monkeypatch
):
    monkeypatch.setattr(reports, "LOOK_AGAIN_SECONDS", 0.0)
    dropped = drop(spool, "mail-1")
    for each in (intake, Intake(queue, [spool], add_message_id=True)):
        each.scan()
        each.scan()
    (record,) = messages(queue)
    refused = "but its file cannot be removed: Operation not permitted"
    assert errors(caplog) == [
        f"{dropped} is message {record.id} now, {refused}",
        f"{dropped} was taken before, {refused}",
    ]


def test_a_file_that_somebody_else_removes_at_last_is_forgotten(
    queue, spool, tmp_path, intake, unremovable, monkeypatch
):
    dropped, kept = drop(spool, "mail-1"), tmp_path / "second-name"
    os.link(dropped, kept)
    intake.scan()
    unremovable.undo()
    dropped.unlink()
    intake.scan()
    with monkeypatch.context() as patch:
        patch.setattr(removal, "forget_files", kill)  # once is enough
        intake.scan()
    put_back(kept, dropped, MAIL)
    assert intake.scan() == 1
    assert len(messages(queue)) == 2


def lock(spool, away):
    drop(spool, "mail-1.lck", b"")


def unlock(spool, away):
    (spool / "mail-1.lck").unlink()


def take_away(spool, away):
    spool.rename(away)


def bring_back(spool, away):
    away.rename(spool)


def unmount(spool, away):
    spool.rename(away)
    spool.symlink_to("/proc/fs")  # of another file system


def mount(spool, away):
    spool.unlink()
    away.rename(spool)


def take_its_place(spool, away):
    spool.rename(away)
    spool.touch()


@pytest.mark.parametrize(
    ("hide", "show"),
    [
        (lock, unlock),
        (take_away, bring_back),
        (unmount, mount),
        (take_its_place, mount),
    ],
)
def test_a_file_that_is_out_of_sight_for_a_while_is_not_forgotten(
    queue, spool, tmp_path, intake, unremovable, hide, show
):
    drop(spool, "mail-1")
    intake.scan()
    hide(spool, tmp_path / "away")
    intake.scan()
    later(queue)
    unremovable.undo()
    show(spool, tmp_path / "away")
    assert intake.scan() == 0
    assert len(messages(queue)) == 1
