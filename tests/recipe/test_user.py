"""The user that a daemon runs as."""

from __future__ import annotations

import logging
import os
import pwd
from pathlib import Path

import pytest
from zc.buildout import UserError

from collective.recipe.maildrophost import configuration, directories, templates
from collective.recipe.maildrophost import owner as module
from collective.recipe.maildrophost.daemons import Daemon
from collective.recipe.maildrophost.owner import owner, warn_of_a_stranger

ONE = """
[maildrop]
recipe = collective.recipe.maildrophost
"""
NOBODY = pwd.getpwnam("nobody")


def users(room) -> set[str]:
    """Who is named in the files for the system."""
    text = "".join(
        room.text(f"parts/maildrop/maildrop.{kind}")
        for kind in ("service", "supervisor", "logrotate")
    )
    lines = [line.strip() for line in text.splitlines()]
    return {
        *(line.removeprefix("User=") for line in lines if line.startswith("User=")),
        *(line.split()[-1] for line in lines if line.startswith("user =")),
        *(line.split()[1] for line in lines if line.startswith("su ")),
    }


def test_without_the_option_the_user_is_whoever_runs_buildout(room):
    room.built(ONE)
    assert users(room) == {pwd.getpwuid(os.getuid()).pw_name}


def test_every_file_for_the_system_names_the_user(room):
    room.built(ONE + "user = nobody\n")
    assert users(room) == {"nobody"}
    assert "USER" not in room.text("parts/maildrop/maildrop.conf")


def test_a_daemon_may_have_a_user_of_its_own(room):
    room.built(f"{ONE}daemons = main other\nuser = nobody\n[other]\nuser = root\n")
    assert "User=nobody" in room.text("parts/maildrop/maildrop-main.service")
    assert "User=root" in room.text("parts/maildrop/maildrop-other.service")


def test_a_user_that_does_not_exist_is_refused(room):
    error = room.refused(ONE + "user = no-such-user\n")
    assert error == "[maildrop] user: expected the name of a user of this machine."


def test_a_user_and_a_group_without_names_are_written_as_their_numbers(monkeypatch):
    def unknown(number):
        raise KeyError(number)

    monkeypatch.setattr(module.pwd, "getpwuid", unknown)
    monkeypatch.setattr(module.grp, "getgrgid", unknown)
    nameless = owner("")
    assert nameless.name == str(nameless.uid) == str(os.getuid())
    assert nameless.group == str(nameless.gid) == str(os.getgid())


as_root = pytest.mark.skipif(os.getuid() != 0, reason="only root can give files away")


@as_root
def test_root_gives_the_user_what_it_makes(room):
    (room / "drop").mkdir()
    for _again in range(2):
        room.built(ONE + "user = nobody\nspool = drop\n")
        for path in (
            "parts/maildrop/maildrop.conf",
            "var/maildrop/var",
            "var/maildrop",
        ):
            assert (room / path).stat().st_uid == NOBODY.pw_uid
        assert room.mode("parts/maildrop/maildrop.conf") == 0o600
    # What was there before keeps its owner.
    assert (room / "drop").stat().st_uid == os.getuid()


@as_root
def test_the_user_gets_to_what_is_its_own_whatever_the_umask_of_root(room):
    before = os.umask(0o077)
    try:
        room.built(ONE + "daemons = main\nuser = nobody\n")
    finally:
        os.umask(before)
    assert room.mode("var/maildrop/main") == 0o700
    for way in ("var", "var/maildrop", "parts/maildrop"):
        assert room.mode(way) == 0o711
        # Daemons of other users may live there, too.
        assert (room / way).stat().st_uid == os.getuid()


@as_root
def test_no_reader_finds_a_configuration_that_is_not_the_users_yet(
    tmp_path, monkeypatch
):
    path = tmp_path / "main.conf"
    values = {"home": str(tmp_path), "user": "nobody"}
    owners = []

    def killed(new, place):
        owners.append(new.stat().st_uid)
        raise KeyboardInterrupt

    daemon = Daemon("main", "main", "main", path, values, {})
    configuration.write(daemon)
    monkeypatch.setattr(templates.os, "replace", killed)
    with pytest.raises(KeyboardInterrupt):
        configuration.write(daemon)
    assert owners == [path.stat().st_uid] == [NOBODY.pw_uid]


@pytest.fixture
def elsewhere(tmp_path):
    """A directory of root's, which has to stay so, whatever a user links to it."""
    directory = tmp_path / "elsewhere"
    directory.mkdir(mode=0o700)
    yield directory
    assert (directory.stat().st_uid, directory.stat().st_mode & 0o777) == (0, 0o700)
    assert [path.stat().st_uid for path in directory.iterdir()] in ([], [0])


def home_of_nobody(path):
    home = path / "home"
    home.mkdir()
    os.chown(home, NOBODY.pw_uid, NOBODY.pw_gid)
    return home


def replace_by_link(path, target) -> None:
    """What a user does with whatever is in a directory of its own."""
    path.rename(path.with_name("aside"))
    path.symlink_to(target)


@as_root
@pytest.mark.parametrize("spool", ["spool", "in/drop"])
def test_the_user_is_never_given_what_it_links_to(
    tmp_path, monkeypatch, elsewhere, spool
):
    home = home_of_nobody(tmp_path)
    real = os.mkdir

    def mkdir(path, *arguments, **options):
        real(path, *arguments, **options)
        first = home / Path(spool).parts[0]
        if not first.is_symlink():
            replace_by_link(first, elsewhere)

    monkeypatch.setattr(os, "mkdir", mkdir)
    values = {"home": str(home), "spool": str(home / spool), "user": "nobody"}
    daemon = Daemon("main", "main", "main", tmp_path / "main.conf", values, {})
    with pytest.raises(UserError, match=f"{home / spool}: "):
        directories.make(daemon)
    assert not any(elsewhere.iterdir())


@as_root
def test_the_user_is_never_given_a_file_that_it_links_to_as_the_configuration(
    tmp_path, monkeypatch, elsewhere
):
    file = elsewhere / "shadow"
    file.write_text("root's")
    file.chmod(0o640)
    path = home_of_nobody(tmp_path) / "main.conf"
    new = path.with_name("main.conf.new")
    real = os.getuid

    def getuid():
        # Asked last before a file is given away.
        if new.exists() and not new.is_symlink():
            replace_by_link(new, file)
        return real()

    monkeypatch.setattr(module.os, "getuid", getuid)
    values = {"home": str(path.parent), "user": "nobody"}
    configuration.write(Daemon("main", "main", "main", path, values, {}))
    assert (file.read_text(), file.stat().st_mode & 0o777) == ("root's", 0o640)


def test_whoever_is_not_root_is_told_that_the_user_could_not_read_it(
    monkeypatch, caplog
):
    monkeypatch.setattr(module.os, "getuid", lambda: NOBODY.pw_uid)
    with caplog.at_level(logging.WARNING, "maildrop"):
        warn_of_a_stranger("maildrop", owner("nobody"))
        assert not caplog.records
        warn_of_a_stranger("maildrop", owner("root"))
    assert "root cannot read it: run buildout as root" in caplog.text
