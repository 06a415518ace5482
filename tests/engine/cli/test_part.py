"""The programs of a buildout part, whose daemons get their turns one by one."""

from __future__ import annotations

import pytest

from collective.maildrophost.engine.cli import background, part
from collective.maildrophost.engine.errors import MaildropError


@pytest.fixture
def started(tmp_path, monkeypatch):
    """`bin/PART-start` where starts fail with `fault`: its status, who had a turn."""

    def start(fault: type[BaseException]) -> tuple[int, list[str]]:
        daemons, turns = {}, []
        for name in ("main", "newsletter"):
            path = tmp_path / f"{name}.conf"
            path.write_text(f"MAILDROP_HOME={tmp_path / name}\n")
            daemons[name] = str(path)

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


def test_the_help_is_printed_once_whatever_the_number_of_daemons(capsys):
    daemons = {"main": "/srv/main.conf", "newsletter": "/srv/newsletter.conf"}
    assert part.each("bin/maildrop", daemons, "status", ["--help"]) == 0
    shown = capsys.readouterr().out
    assert shown.startswith(
        "Usage: bin/maildrop-status [DAEMON]... [OPTION]...\n"
        "Daemons: main, newsletter\n"
    )
    assert shown.count("Tell whether a daemon works on the queue.") == 1
