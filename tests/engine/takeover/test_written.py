"""An old mail that somebody is just writing is taken when it is whole, or named."""

from __future__ import annotations

import os
import threading
import time
from contextlib import contextmanager
from types import SimpleNamespace

import pytest
from engine.takeover.test_spool import MAIL

from collective.maildrophost.engine.takeover import (
    Left,
    Taken,
    look_through,
    take,
    taking,
)

QUIET_SECONDS = taking.QUIET_SECONDS


@pytest.fixture
def spool(moved):
    return moved()


@pytest.mark.parametrize("ahead", [0, 3600, -3600])
def test_a_mail_that_is_just_being_written_is_waited_for(
    spool, queue, monkeypatch, ahead
):
    """Also where the clock was set since, or is that of a file server."""
    monkeypatch.setattr(taking, "QUIET_SECONDS", QUIET_SECONDS)
    path = spool.directory / "1"
    path.write_bytes(MAIL)
    moment = time.time() + ahead
    os.utime(path, (moment, moment))
    (mail,) = look_through(spool.directory)
    done = threading.Event()

    def write_on() -> None:
        with path.open("ab") as file:
            while not done.wait(0.05):
                file.write(b"more\n")
                file.flush()

    writer = threading.Thread(target=write_on)
    writer.start()
    try:
        answer = take(queue, mail, True)
    finally:
        done.set()
        writer.join()
    assert isinstance(answer, Left)
    assert "import again" in answer.reason
    assert [type(each) for each in spool.take()] == [Taken]


def test_many_old_mails_are_waited_for_once(spool, monkeypatch):
    monkeypatch.setattr(taking, "QUIET_SECONDS", QUIET_SECONDS)
    for number in range(5):
        spool.put(str(number), MAIL)
    slept: list[float] = []

    def now() -> float:
        return time.monotonic() + sum(slept)

    clock = SimpleNamespace(time=time.time, monotonic=now, sleep=slept.append)
    monkeypatch.setattr(taking, "time", clock)
    began = now()
    assert len(spool.take()) == 5
    assert now() - began >= QUIET_SECONDS
    assert sum(slept) < 2 * QUIET_SECONDS


def lock(path):
    path.with_name(f"{path.name}.lck").touch()


def write_on(path):
    with path.open("ab") as file:
        file.write(b"more\n")


@pytest.mark.parametrize("begin", [lock, write_on])
def test_a_mail_that_is_written_while_it_is_read_is_taken_when_it_is_whole(
    spool, monkeypatch, begin
):
    path = spool.put("1", MAIL)
    opened = taking.opened

    @contextmanager
    def begin_then(*arguments):
        with opened(*arguments) as file:
            begin(path)
            yield file

    with monkeypatch.context() as meanwhile:
        meanwhile.setattr(taking, "opened", begin_then)
        assert spool.take() == [Left(path, "is being written: import again")]
    assert spool.messages == []
    path.with_name("1.lck").unlink(missing_ok=True)
    assert spool.take() == [Taken("1")]
