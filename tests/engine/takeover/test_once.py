"""A mail is taken over once, whatever name its old queue is reached by."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from engine.intake.drops import MAIL, Killed, kill

from collective.maildrophost.engine.intake import Intake
from collective.maildrophost.engine.intake import scan as intake
from collective.maildrophost.engine.takeover import Taken, look_through, take

IN_MAILDIR = b"X-Zope-From: a@x.org\nX-Zope-To: b@x.org\nSubject: hello\n\nbody\n"


@pytest.fixture(params=["link", "dots"])
def other_name(request, moved, tmp_path):
    """Of the directory of an old queue."""
    if request.param == "dots":
        return lambda directory: directory / ".." / directory.name

    def link(directory):
        (tmp_path / "link").symlink_to(directory)
        return tmp_path / "link"

    return link


def taken_again(queue, directory: Path):
    return [take(queue, mail, True) for mail in look_through(directory)]


@pytest.mark.parametrize(
    ("folders", "name", "data"), [((), "1", MAIL), (("new",), "new/1", IN_MAILDIR)]
)
def test_a_queue_that_has_another_name_after_a_crash_brings_nothing_twice(
    queue, moved, other_name, monkeypatch, folders, name, data
):
    old = moved(*folders)
    old.put(name, data)
    with monkeypatch.context() as patch:
        patch.setattr(Path, "unlink", lambda *arguments, **options: kill())
        with pytest.raises(Killed):
            old.take()
    assert taken_again(queue, other_name(old.directory)) == [Taken(None)]
    assert len(old.messages) == 1
    assert old.files == []


def test_what_a_daemon_has_taken_is_known_by_any_name_of_its_directory(
    queue, moved, other_name, monkeypatch
):
    spool = moved()
    spool.put("1", MAIL)
    monkeypatch.setattr(intake, "QUIET_SECONDS", 0.0)
    with monkeypatch.context() as patch:
        patch.setattr(os, "unlink", kill)
        with pytest.raises(Killed):
            Intake(queue, [spool.directory], add_message_id=True).scan()
    assert taken_again(queue, other_name(spool.directory)) == [Taken(None)]
    assert len(spool.messages) == 1
