"""The programs of a buildout part, whose daemons get their turns one by one."""

from __future__ import annotations

import pytest

from collective.maildrophost.engine.cli import background, part
from collective.maildrophost.engine.errors import MaildropError


@pytest.fixture
def daemons(tmp_path):
    """The configurations of two daemons, by name."""
    paths = {name: tmp_path / f"{name}.conf" for name in ("main", "newsletter")}
    for name, path in paths.items():
        path.write_text(f"MAILDROP_HOME={tmp_path / name}\n")
    return {name: str(path) for name, path in paths.items()}


@pytest.fixture
def started(daemons, monkeypatch):
    """`bin/PART-start` where starts fail with `fault`: its status, who had a turn."""

    def start(fault: type[BaseException]) -> tuple[int, list[str]]:
        turns = []

        def fail(configuration: object) -> None:
            turns.append(configuration.home.name)
            raise fault("no")

        monkeypatch.setattr(background, "start", fail)
        return part.each("bin/maildrop", daemons, "start", []), turns

    return start


def test_every_daemon_gets_its_turn_whatever_becomes_of_the_others(started):
    assert started(MaildropError) == (1, ["main", "newsletter"])


def test_ctrl_c_stops_all_of_it(started, capsys):
    assert started(KeyboardInterrupt) == (1, ["main"])
    assert "bin/maildrop main: stopped before the end" in capsys.readouterr().err


def test_what_each_daemon_says_stands_below_its_name(daemons, monkeypatch, capsys):
    monkeypatch.setattr(background, "start", lambda configuration: print("started"))
    assert part.each("bin/maildrop", daemons, "start", []) == 0
    assert capsys.readouterr().out == "main:\nstarted\nnewsletter:\nstarted\n"
    assert part.each("bin/maildrop", daemons, "start", ["main"]) == 0
    assert capsys.readouterr().out == "started\n"


def test_the_help_is_printed_once_whatever_the_number_of_daemons(daemons, capsys):
    assert part.each("bin/maildrop", daemons, "status", ["--help"]) == 0
    shown = capsys.readouterr().out
    assert shown.startswith(
        "Usage: bin/maildrop-status [DAEMON]... [OPTION]...\n"
        "Daemons: main, newsletter\n"
    )
    assert shown.count("Tell whether a daemon works on the queue.") == 1
