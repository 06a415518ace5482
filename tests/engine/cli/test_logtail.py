"""`logtail`: the end of the log, whatever is added, over a rotation."""

from __future__ import annotations

import io
import shlex
import subprocess
from pathlib import Path

import pytest
from commands import PROGRAM

from collective.maildrophost.engine.cli.logtail import _seek_last, follow


@pytest.fixture
def log(site) -> Path:
    (site.home / "var").mkdir()
    path = site.home / "var" / "maildrop.log"
    path.write_text("".join(f"line {number}\n" for number in range(5000)))
    return path


def add(path: Path, text: str) -> None:
    with path.open("a") as log:
        log.write(text)


@pytest.mark.parametrize("lines", [0, 1, 500, 2000, 4999, 5000, 6000])
def test_as_many_lines_are_shown_as_are_wanted(log, lines):
    with log.open("rb") as stream:
        _seek_last(stream, lines)
        shown = stream.read().splitlines()
    first = max(0, 5000 - lines)
    assert shown == [f"line {number}".encode() for number in range(first, 5000)]


def test_a_long_end_is_not_put_together_anew_with_each_block():
    """Otherwise a hundred thousand lines take twenty seconds."""
    copied = 0

    class Block(bytes):
        def __add__(self, tail):
            nonlocal copied
            copied += len(self) + len(tail)
            return Block(bytes(self) + bytes(tail))

    class Log(io.BytesIO):
        def read(self, *size):
            return Block(super().read(*size))

    octets = b"a line\n" * 40_000
    log = Log(octets)
    _seek_last(log, 30_000)
    assert len(log.readlines()) == 30_000
    assert copied <= len(octets)


def test_the_end_is_shown_then_what_is_added(site, log):
    with site.background("logtail", "--lines", "2") as tail:
        assert tail.line() == "line 4998\n"
        assert tail.line() == "line 4999\n"
        add(log, "more\n")
        assert tail.line() == "more\n"
        assert tail.interrupt() == 0


def test_a_rotation_loses_and_repeats_nothing(site, log):
    with site.background("logtail", "-n", "1") as tail:
        assert tail.line() == "line 4999\n"
        add(log, "before\n")
        old = log.rename(log.with_suffix(".log.1"))
        add(old, "late\n")
        add(log, "after\n")
        shown = [tail.line() for _ in range(3)]
        assert shown == ["before\n", "late\n", "after\n"]


def test_lines_written_just_before_a_rotation_are_shown(tmp_path, monkeypatch):
    log = tmp_path / "maildrop.log"
    log.write_text("first\n")

    def rotated_while_nobody_looks(seconds: float) -> None:
        add(log, "late\n")
        log.rename(tmp_path / "maildrop.log.1")
        add(log, "after\n")

    monkeypatch.setattr("time.sleep", rotated_while_nobody_looks)
    lines = follow(log, 1)
    assert [next(lines) for _ in range(3)] == [b"first", b"late", b"after"]


def test_a_log_that_goes_as_it_is_opened_is_waited_for(tmp_path, monkeypatch):
    log = tmp_path / "maildrop.log"
    log.write_text("first\n")
    lines = follow(log, 1)
    assert next(lines) == b"first"
    log.rename(tmp_path / "maildrop.log.1")
    add(log, "after\n")
    opened, tries = Path.open, []

    def rotated_again(path, *arguments):
        tries.append(path)
        if len(tries) == 1:
            raise FileNotFoundError
        return opened(path, *arguments)

    monkeypatch.setattr(Path, "open", rotated_again)
    assert next(lines) == b"after"


def test_a_log_that_is_cut_is_followed_from_its_new_beginning(site, log):
    with site.background("logtail", "-n", "1") as tail:
        tail.line()
        log.write_text("fresh\n")
        assert tail.line() == "fresh\n"


def test_a_line_is_shown_when_it_is_whole(tmp_path, monkeypatch):
    log = tmp_path / "maildrop.log"
    log.write_text("first\n")
    parts = iter(["half ", "line", "\n"])
    monkeypatch.setattr("time.sleep", lambda seconds: add(log, next(parts)))
    lines = follow(log, 1)
    assert [next(lines) for _ in range(2)] == [b"first", b"half line"]
    assert list(parts) == []


def test_more_lines_than_there_are_show_all(site, log):
    log.write_text("one\ntwo\n")
    with site.background("logtail") as tail:
        assert tail.line() == "one\n"
        assert tail.line() == "two\n"


def test_a_log_line_does_not_steer_the_terminal(site, log):
    log.write_text("a\x1b[31mb\n")
    with site.background("logtail") as tail:
        assert tail.line() == "a\\x1b[31mb\n"


@pytest.mark.parametrize("console", ["/dev/stdout", "/proc/self/fd/1", "/dev/null"])
def test_a_log_on_the_console_is_said_to_be_elsewhere(site, console):
    # Its own standard output is a pipe here; followed as a file it would never end.
    site.configure(MAILDROP_LOG_FILE=console)
    ended = site.ctl("logtail")
    assert ended.status == 1
    assert f"{console} is where the daemon prints" in ended.err
    assert ended.err.count("\n") == 1


def test_without_a_log_it_fails(site):
    ended = site.ctl("logtail")
    assert ended.status == 1
    assert "maildrop.log" in ended.err
    assert ended.err.count("\n") == 1


def test_a_reader_who_has_seen_enough_is_no_error_of_the_log(site, log):
    log.write_text("one\n" * 50_000)  # more than a pipe holds
    command = [*PROGRAM, "--config", str(site.path), "logtail", "--lines", "50000"]
    ended = subprocess.run(
        ["sh", "-c", f"{shlex.join(command)} | head -1"],
        capture_output=True,
        check=False,
    )
    assert (ended.stdout, ended.stderr) == (b"one\n", b"")
