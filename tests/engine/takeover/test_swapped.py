"""What somebody puts in the place of an old mail stops nobody, and is not taken."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from waiting import PATIENCE_SECONDS

from collective.maildrophost.engine.message import compose
from collective.maildrophost.engine.takeover import (
    Left,
    Taken,
    look_through,
    take,
    taking,
)
from collective.maildrophost.engine.takeover import spool as spools

SPOOLED = b"##To:b@x.org\n##From:a@x.org\nSubject: hello\n\nbody\n"
IN_MAILDIR = b"X-Zope-From: a@x.org\nX-Zope-To: b@x.org\nSubject: hello\n\nbody\n"


@pytest.fixture(params=["spool", "Maildir"])
def old(request, moved):
    """An old queue, and what a mail's first file in it is named and holds."""
    if request.param == "spool":
        return moved(), "1", SPOOLED
    return moved("new", "cur"), "new/1", IN_MAILDIR


def within_seconds(call, fifo: Path):
    """What `call` gives, even when it waits at the other end of a FIFO."""
    with ThreadPoolExecutor() as threads:
        done = threads.submit(call)
        try:
            return done.result(PATIENCE_SECONDS)
        finally:
            if not done.done():
                os.close(os.open(fifo, os.O_WRONLY))


def test_a_fifo_in_the_place_of_a_mail_stops_nobody(old, queue):
    moved, name, data = old
    path = moved.put(name, data)
    moved.put(f"{name}2", data)
    first, second = look_through(moved.directory)
    path.unlink()
    os.mkfifo(path)
    left = within_seconds(lambda: take(queue, first, True), path)
    assert left == Left(path, "is being written: import again")
    assert take(queue, second, True) == Taken("1")


def test_a_fifo_that_comes_while_a_spool_is_looked_through_stops_nobody(
    moved, monkeypatch
):
    spool = moved()
    path = spool.put("1", SPOOLED)
    candidates = spools.candidates

    def look_and_swap(*arguments):
        found = list(candidates(*arguments))
        path.unlink()
        os.mkfifo(path)
        return found

    monkeypatch.setattr(spools, "candidates", look_and_swap)
    (left,) = within_seconds(lambda: list(spools.find(spool.directory)), path)
    assert isinstance(left, Left)


def test_a_link_in_the_place_of_a_mail_is_not_followed(old, queue, tmp_path):
    """Its mail may be for nobody's eyes but ours."""
    moved, name, data = old
    path = moved.put(name, data)
    (mail,) = look_through(moved.directory)
    private = tmp_path / "elsewhere"
    path.rename(private)
    path.symlink_to(private)
    assert isinstance(take(queue, mail, True), Left)
    assert moved.messages == []
    assert private.read_bytes() == data


def test_a_link_that_was_there_is_no_mail(old, tmp_path):
    moved, name, data = old
    private = tmp_path / "elsewhere"
    moved.put(name, data).rename(private)
    (moved.directory / name).symlink_to(private)
    moved.take()
    assert moved.messages == []
    assert private.read_bytes() == data


def test_a_mail_that_is_gone_when_it_is_its_turn_is_named(old, queue):
    moved, name, data = old
    path = moved.put(name, data)
    (mail,) = look_through(moved.directory)
    path.unlink()
    assert take(queue, mail, True) == Left(path, "No such file or directory")


def test_a_directory_that_is_another_thing_by_now_ends_no_import(
    old, queue, monkeypatch
):
    moved, name, data = old
    path = moved.put(name, data)
    (mail,) = look_through(moved.directory)

    def meanwhile(*arguments, **options):
        path.parent.rename(moved.directory.parent / "away")
        path.parent.touch()
        return compose(*arguments, **options)

    monkeypatch.setattr(taking, "compose", meanwhile)
    assert take(queue, mail, True) == Left(path, "Not a directory")
    assert moved.messages == []


def test_a_fault_that_has_no_words_of_its_own_is_named_nevertheless(
    old, queue, monkeypatch
):
    moved, name, data = old
    path = moved.put(name, data)
    (mail,) = look_through(moved.directory)

    def refuse(handle):
        raise OSError("no more")

    with monkeypatch.context() as meanwhile:
        meanwhile.setattr(os, "fsync", refuse)
        assert take(queue, mail, True) == Left(path, "no more")


def test_a_mail_that_its_program_sends_meanwhile_keeps_no_other_from_coming(
    old, queue, monkeypatch
):
    moved, name, data = old
    path = moved.put(name, data)
    moved.put(f"{name}2", data)
    lstat = Path.lstat

    def sent_meanwhile(each):
        if each == path:
            path.unlink(missing_ok=True)
        return lstat(each)

    with monkeypatch.context() as meanwhile:
        meanwhile.setattr(Path, "lstat", sent_meanwhile)
        (second,) = look_through(moved.directory)
    assert take(queue, second, True) == Taken("1")
