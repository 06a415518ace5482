"""How a command finds its configuration, and what it says of one that is wrong."""

from __future__ import annotations

import pytest
from engine.cli.typed import command_line, one_line

from collective.maildrophost.engine.cli import main
from collective.maildrophost.engine.cli.commands import COMMANDS

NEED_A_CONFIGURATION = [name for name in COMMANDS if name != "init"]


def test_without_a_configuration_the_program_fails_in_one_line(program):
    ended = program("status")
    assert ended.status == 2
    assert one_line(ended.err)


@pytest.mark.parametrize("name", NEED_A_CONFIGURATION)
def test_without_a_configuration_a_command_says_how_to_name_one(name, inside):
    ended = inside(*command_line(name))
    assert ended.status == 2
    assert one_line(ended.err)
    assert "--config FILE" in ended.err
    assert "MAILDROP_CONFIG" in ended.err
    assert "init FILE" in ended.err


@pytest.mark.parametrize("name", [n for n in NEED_A_CONFIGURATION if n != "check"])
def test_an_error_of_the_configuration_names_file_line_option(name, site, inside):
    site.path.write_text(f"MAILDROP_HOME='{site.home}'\nSMTP_PORT=smtp\n")
    ended = inside("--config", str(site.path), *command_line(name))
    assert ended.status == 2
    assert one_line(ended.err)
    assert f"{site.path}:2: SMTP_PORT: expected" in ended.err


@pytest.mark.parametrize(
    ("option", "before"),
    [
        ("MAILDROP_HOME", ""),
        ("MAILDROP_SPOOL", ""),
        ("MAILDROP_QUEUE", "sqlite:///"),
        ("MAILDROP_PASSWORD_FILE", ""),
    ],
)
def test_a_path_that_the_locale_cannot_write_is_an_error_of_the_option(
    option, before, site
):
    site.configure(**{option: f"{before}{site.home}/größe"})
    ascii_only = {"PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0", "LC_ALL": "POSIX"}
    ended = site.ctl("status", **ascii_only)
    assert ended.status == 2
    (line,) = ended.err.splitlines()
    assert f": {option}: " in line
    assert line.endswith("set LC_ALL=C.UTF-8")


def test_a_configuration_that_is_not_there_is_an_error_of_the_configuration(program):
    ended = program("--config", "/nowhere/x.conf", "status")
    assert ended.status == 2
    assert one_line(ended.err)
    assert "/nowhere/x.conf" in ended.err


def test_a_warning_of_the_configuration_goes_to_standard_error(site):
    site.configure(SMTP_HOSTS="x")
    ended = site.ctl("queue", "--json")
    assert ended.status == 0
    assert "SMTP_HOST" in ended.err
    assert ended.json == []


def test_the_environment_names_the_configuration(site, program):
    ended = program("queue", MAILDROP_CONFIG=str(site.path))
    assert (ended.status, ended.out) == (0, "no messages\n")


def test_a_bound_configuration_wins_over_the_environment(site, monkeypatch, capsys):
    monkeypatch.setenv("MAILDROP_CONFIG", "/nowhere/x.conf")
    assert main(["queue"], config=str(site.path)) == 0
    assert capsys.readouterr().out == "no messages\n"


def test_a_bound_program_calls_itself_by_its_name(capsys):
    assert main(["queue"], config="/nowhere/x.conf", prog_name="maildrop main") == 2
    assert capsys.readouterr().err.startswith("maildrop main: ")
