"""`logtail`: the end of the log, whatever is added, over a rotation."""

from __future__ import annotations

import signal
from pathlib import Path

import pytest


@pytest.fixture
def log(site) -> Path:
    (site.home / "var").mkdir()
    path = site.home / "var" / "maildrop.log"
    path.write_text("".join(f"line {number}\n" for number in range(5000)))
    return path


def add(path: Path, text: str) -> None:
    with path.open("a") as log:
        log.write(text)


def test_the_end_is_shown_then_what_is_added(site, log):
    with site.background("logtail", "--lines", "2") as tail:
        assert tail.stdout.readline() == "line 4998\n"
        assert tail.stdout.readline() == "line 4999\n"
        add(log, "more\n")
        assert tail.stdout.readline() == "more\n"
        tail.send_signal(signal.SIGINT)
        assert tail.wait(10) == 0


def test_a_rotation_loses_and_repeats_nothing(site, log):
    with site.background("logtail", "-n", "1") as tail:
        assert tail.stdout.readline() == "line 4999\n"
        add(log, "before\n")
        old = log.rename(log.with_suffix(".log.1"))
        add(old, "late\n")
        add(log, "after\n")
        shown = [tail.stdout.readline() for _ in range(3)]
        assert shown == ["before\n", "late\n", "after\n"]


def test_a_log_that_is_cut_is_followed_from_its_new_beginning(site, log):
    with site.background("logtail", "-n", "1") as tail:
        tail.stdout.readline()
        log.write_text("fresh\n")
        assert tail.stdout.readline() == "fresh\n"


def test_a_line_is_shown_when_it_is_whole(site, log):
    with site.background("logtail", "-n", "1") as tail:
        tail.stdout.readline()
        add(log, "half ")
        add(log, "line\n")
        assert tail.stdout.readline() == "half line\n"


def test_more_lines_than_there_are_show_all(site, log):
    log.write_text("one\ntwo\n")
    with site.background("logtail") as tail:
        assert tail.stdout.readline() == "one\n"
        assert tail.stdout.readline() == "two\n"


def test_a_log_line_does_not_steer_the_terminal(site, log):
    log.write_text("a\x1b[31mb\n")
    with site.background("logtail") as tail:
        assert tail.stdout.readline() == "a\\x1b[31mb\n"


def test_without_a_log_it_fails(site):
    ended = site.ctl("logtail")
    assert ended.status == 1
    assert "maildrop.log" in ended.err
    assert ended.err.count("\n") == 1
