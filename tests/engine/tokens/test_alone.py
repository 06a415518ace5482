"""A refresh token that is good for one use is shown once, whoever has its file."""

from __future__ import annotations

import errno
import fcntl
import os
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor, TimeoutError
from pathlib import Path

import pytest
from engine.halfway import half_way
from servers.tokens import TokenServer, refusal
from waiting import PATIENCE_SECONDS, wait_until

from collective.maildrophost.engine.config import Secret
from collective.maildrophost.engine.tokens import TokenFault
from collective.maildrophost.engine.tokens import alone as module
from collective.maildrophost.engine.tokens.alone import alone
from collective.maildrophost.engine.tokens.files import RefreshTokenFile
from collective.maildrophost.engine.tokens.replacing import write

OPTION = RefreshTokenFile.OPTION
FETCHES = """
import asyncio, sys
from collective.maildrophost.engine.config import load
from collective.maildrophost.engine.tokens import source_of
source = source_of(load(sys.argv[1], {}))
print(asyncio.run(source.token()).secret.reveal())
"""
REPLACES = """
import pathlib, sys
from collective.maildrophost.engine.config import Secret
from collective.maildrophost.engine.tokens.files import RefreshTokenFile
file = RefreshTokenFile(sys.argv[1])
with file.turn():
    shown = file.read()
    stand_still()
    file.replace(shown, Secret("of another"))
"""


@pytest.fixture
def path(tmp_path):
    file = tmp_path / "token"
    file.write_text("old\n")
    return str(file)


@pytest.fixture
def another(path):
    """Another process that has shown the token; replaces it at the end of its input."""
    with half_way(REPLACES, path) as process:
        yield process


@pytest.fixture
def impatient(monkeypatch):
    monkeypatch.setattr(module, "WAIT_SECONDS", 0.3)


def test_processes_that_need_a_token_at_the_same_moment_all_get_one(configure):
    shown: list[str] = []

    def once_each(fields):
        shown.append(fields["refresh_token"])
        if len(set(shown)) < len(shown):
            return refusal("invalid_grant", "used before")
        given = f"{len(shown)}"
        return 200, {"access_token": given, "refresh_token": f"refresh-{given}"}

    with TokenServer(once_each) as server:
        server.gate.clear()
        configuration = configure(server.url, refresh_token="refresh-0").path
        processes = [
            subprocess.Popen(
                [sys.executable, "-c", FETCHES, str(configuration)],
                env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
                stdout=subprocess.PIPE,
            )
            for _ in range(3)
        ]
        wait_until(lambda: server.requests, what="the first request")
        time.sleep(0.5)
        server.gate.set()
        got = {
            process.communicate(timeout=PATIENCE_SECONDS)[0] for process in processes
        }
    assert got == {b"1\n", b"2\n", b"3\n"}
    assert shown == ["refresh-0", "refresh-1", "refresh-2"]


def test_a_process_that_waits_reads_what_the_other_has_written(path, another):
    file = RefreshTokenFile(path)

    def read() -> Secret:
        with file.turn():
            return file.read()

    with ThreadPoolExecutor() as threads:
        waiting = threads.submit(read)
        with pytest.raises(TimeoutError):
            waiting.result(0.3)
        another.communicate()
        assert waiting.result(PATIENCE_SECONDS).reveal() == "of another"


def test_a_killed_process_keeps_nobody_waiting(path, another, impatient):
    another.kill()
    another.wait()
    with alone(OPTION, path):
        pass
    assert os.listdir(os.path.dirname(path)) == ["token"]


def test_a_process_that_stands_still_is_waited_for_and_reported(
    path, another, impatient
):
    """It may have shown the token: the provider would take back all that came of it."""
    with (
        pytest.raises(TokenFault, match="another process") as raised,
        alone(OPTION, path),
    ):
        pass
    assert not raised.value.permanent
    assert raised.value.reason.startswith(f"{OPTION}: ")


def test_the_file_may_be_on_a_read_only_mount(path, impatient, monkeypatch):
    opening = os.open

    def read_only(name, flags, *more):
        if flags & os.O_RDWR:
            raise OSError(errno.EROFS, "Read-only file system")
        return opening(name, flags, *more)

    monkeypatch.setattr(os, "open", read_only)
    with alone(OPTION, path), pytest.raises(TokenFault), alone(OPTION, path):
        pass


def test_whoever_has_locked_a_file_that_was_just_replaced_locks_the_new_one(
    path, impatient, monkeypatch
):
    """Another process could lock that one, and show the same token."""
    opened, opening = [], module._open

    def open_and_replace(name):
        opened.append(opening(name))
        if len(opened) == 1:
            write(Path(name), Secret("new"))
        return opened[-1]

    monkeypatch.setattr(module, "_open", open_and_replace)
    with alone(OPTION, path), pytest.raises(TokenFault), alone(OPTION, path):
        pass


def test_where_nothing_can_be_locked_nobody_is_kept_waiting(path, monkeypatch):
    def refuse(handle, how):
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr(fcntl, "flock", refuse)
    with alone(OPTION, path), alone(OPTION, path):
        pass


def test_a_file_that_is_not_there_is_named_by_who_reads_it(path):
    file = RefreshTokenFile(f"{path}-missing")
    with pytest.raises(TokenFault, match="expected a readable file"), file.turn():
        file.read()


@pytest.fixture
def forked():
    """A child of this process like the bookkeeper of a reload; call to make it."""
    ends: list[int] = []

    def fork() -> None:
        its, ours = os.pipe()
        if os.fork() == 0:
            os.close(ours)
            os.read(its, 1)
            os._exit(0)
        os.close(its)
        ends.append(ours)

    yield fork
    for end in ends:
        os.close(end)
        os.wait()


def test_a_child_that_is_forked_amid_a_turn_keeps_nobody_waiting_after_it(
    path, impatient, forked
):
    """Each token after a reload would be waited for in vain."""
    with alone(OPTION, path):
        forked()
    with alone(OPTION, path):
        pass


def test_a_child_that_is_forked_amid_a_write_keeps_nobody_waiting_after_it(
    path, impatient, forked, monkeypatch
):
    replace = os.replace
    monkeypatch.setattr(os, "replace", lambda *names: (forked(), replace(*names)))
    write(Path(path), Secret("new"))
    with alone(OPTION, path):
        pass
