"""`init` writes a configuration that works as it is."""

from __future__ import annotations

import os
import subprocess

import pytest

from collective.maildrophost.engine.cli import init
from collective.maildrophost.engine.config import OPTIONS, load


def test_the_new_configuration_is_valid_and_private(program, tmp_path):
    path = tmp_path / "maildrop.conf"
    ended = program("init", str(path))
    assert ended.status == 0
    assert str(path) in ended.out
    assert path.stat().st_mode & 0o777 == 0o600
    assert f'\nMAILDROP_HOME="{tmp_path}"\n' in path.read_text()
    configuration = load(path, {})
    assert configuration.home == tmp_path
    assert configuration.warnings == ()


def test_every_default_in_it_may_be_uncommented(program, tmp_path):
    path = tmp_path / "maildrop.conf"
    program("init", str(path))
    expected = load(path, {})
    lines = path.read_text().splitlines()
    names = tuple(f"#{option.name}=" for option in OPTIONS)
    path.write_text(
        "".join(
            line.removeprefix("#" if line.startswith(names) else "") + "\n"
            for line in lines
        )
    )
    assert load(path, {}) == expected
    assert sum(line.startswith(names) for line in lines) == len(OPTIONS) - 1


def test_the_home_may_be_elsewhere(program, tmp_path):
    path = tmp_path / "maildrop.conf"
    assert program("init", str(path), "--home", str(tmp_path / "the mail")).status == 0
    assert load(path, {}).home == tmp_path / "the mail"


def test_a_shell_reads_the_same_home(program, tmp_path):
    home = tmp_path / "it's $HOME"
    path = tmp_path / "maildrop.conf"
    program("init", str(path), "--home", str(home))
    script = f'. "{path}"; printf %s "$MAILDROP_HOME"'
    assert subprocess.check_output(["sh", "-c", script], text=True) == str(home)
    assert load(path, {}).home == home


def test_an_existing_file_is_never_overwritten(program, tmp_path):
    path = tmp_path / "maildrop.conf"
    path.write_text("mine")
    ended = program("init", str(path))
    assert ended.status == 1
    assert "exists" in ended.err
    assert path.read_text() == "mine"


def test_a_home_that_no_file_in_utf_8_can_name_is_refused(program, tmp_path):
    home = os.fsencode(tmp_path) + b"/h\xe4me"
    ended = program("init", str(tmp_path / "new.conf"), "--home", os.fsdecode(home))
    assert ended.status == 1
    assert "choose another with --home" in ended.err
    assert "Traceback" not in ended.err
    assert not (tmp_path / "new.conf").exists()


def test_a_full_disk_leaves_no_half_a_configuration(inside, tmp_path, monkeypatch):
    """It would keep the next try from writing a whole one."""
    path, made = tmp_path / "maildrop.conf", os.open

    def make(file, *how):
        os.close(made(file, *how))
        return made("/dev/full", os.O_WRONLY)

    with monkeypatch.context() as full:
        full.setattr(init.os, "open", make)
        ended = inside("init", str(path))
    assert ended.status == 1
    assert f"cannot write {path}: No space left on device" in ended.err
    assert inside("init", str(path)).status == 0


@pytest.mark.parametrize("name", ["a;b", "a?b", "a%41", "a\nb"])
def test_a_home_that_no_daemon_takes_is_refused(program, tmp_path, name):
    ended = program("init", str(tmp_path / "new.conf"), "--home", str(tmp_path / name))
    assert ended.status == 1
    assert "choose another MAILDROP_HOME with --home" in ended.err
    assert not (tmp_path / "new.conf").exists()


def test_a_missing_directory_is_named(program, tmp_path):
    ended = program("init", str(tmp_path / "missing" / "maildrop.conf"))
    assert ended.status == 1
    assert "missing" in ended.err
    assert ended.err.count("\n") == 1
