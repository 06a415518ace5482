"""Start, stop and restart of one daemon at the same time."""

from __future__ import annotations

import fcntl
import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TextIO

import pytest
from waiting import PATIENCE_SECONDS

from collective.maildrophost.engine.cli import turns, waiting

NOT_RUNNING = 3


@contextmanager
def another_one(site) -> Iterator[TextIO]:
    """Somebody else is just starting or stopping the daemon of the site."""
    with site.path.open() as configuration:
        fcntl.flock(configuration, fcntl.LOCK_EX)
        yield configuration


@pytest.mark.parametrize(
    ("command", "said"),
    [
        ("start", "started, pid "),
        ("stop", "not running\n"),
        ("restart", "started, pid "),
    ],
)
def test_a_second_command_waits_until_the_first_has_ended(command, said, site):
    with another_one(site) as turn, site.background(command) as waiting:
        assert f"'fuser {site.path}' names it" in waiting.line()
        assert site.ctl("status").status == NOT_RUNNING
        fcntl.flock(turn, fcntl.LOCK_UN)
        assert waiting.line().startswith(said)
        assert waiting.process.wait(PATIENCE_SECONDS) == 0


def test_two_starts_at_the_same_moment_start_one_daemon_and_say_so(site):
    with site.background("start") as one, site.background("start") as other:
        said = "".join([*one.lines(), *other.lines()])
        assert [each.process.wait(PATIENCE_SECONDS) for each in (one, other)] == [0, 0]
    (pid,) = set(re.findall(r"(?:started|already running), pid (\d+)", said))
    assert f"pid {pid} on " in site.ctl("status").out


def test_a_command_that_does_not_end_blocks_no_other_for_good(site, monkeypatch):
    monkeypatch.setattr(waiting, "POLL_SECONDS", 0.001)
    with another_one(site), turns.turn(site.path, 0.01):
        pass


def test_where_there_are_no_locks_nobody_is_waited_for(site, monkeypatch):
    def unable(handle: int, kind: int) -> None:
        raise OSError("no locks available")

    monkeypatch.setattr(fcntl, "flock", unable)
    monkeypatch.setattr(waiting.time, "sleep", lambda seconds: pytest.fail("it waits"))
    with turns.turn(site.path, 60):
        pass


def test_a_configuration_that_has_just_gone_blocks_nobody(site):
    with turns.turn(site.home / "gone.conf", 60):
        pass
