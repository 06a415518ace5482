"""A second run of buildout, with or without changes."""

from __future__ import annotations

import shutil

import pytest
from recipe.conftest import Room

from collective.maildrophost.engine.config import load
from collective.recipe.maildrophost import abandoned, uninstall

ONE = """
[maildrop]
recipe = collective.recipe.maildrophost
smtp-host = relay.example.org
"""
TWO = """
[maildrop]
recipe = collective.recipe.maildrophost
daemons = main newsletter

[newsletter]
smtp-host = bulk.example.org
"""


def relay(room, path: str) -> str:
    return load(room / "parts/maildrop" / path, {}).relays[0].host


def test_a_run_without_changes_updates(room):
    room.built(ONE)
    assert "Updating maildrop." in room.built(ONE)
    assert room.mode("parts/maildrop/maildrop.conf") == 0o600
    assert not list((room / "parts/maildrop").glob("*.new"))


def test_a_changed_option_of_the_part_is_noticed(room):
    room.built(ONE)
    room.built(ONE.replace("relay.", "other."))
    assert relay(room, "maildrop.conf") == "other.example.org"


def test_a_changed_option_of_a_daemon_is_noticed(room):
    room.built(TWO)
    room.built(TWO.replace("bulk.", "other."))
    assert relay(room, "newsletter.conf") == "other.example.org"


def test_a_configuration_that_was_removed_comes_back(room):
    room.built(ONE)
    (room / "parts/maildrop/maildrop.conf").unlink()
    room.built(ONE)
    assert relay(room, "maildrop.conf") == "relay.example.org"


FAILS = """
[first]
recipe = collective.recipe.template
output = /proc/nowhere/first
inline = text
"""


def test_a_buildout_that_fails_leaves_the_files_of_before(room):
    room.built(ONE)
    changed = ONE.replace("relay.", "other.")
    room.write(changed + FAILS, "first maildrop")
    failed = room.build()
    assert failed.returncode != 0
    assert "Uninstalling maildrop." in failed.stdout + failed.stderr
    assert relay(room, "maildrop.conf") == "relay.example.org"
    assert (room / "parts/maildrop/maildrop.service").exists()
    assert room.script("maildrop", "stats").returncode == 0
    room.built(changed)
    assert relay(room, "maildrop.conf") == "other.example.org"


def test_an_update_that_fails_leaves_the_files_of_before(room):
    room.built(TWO)
    room.refused(TWO + "home = /proc/nowhere/mail\n")
    assert relay(room, "newsletter.conf") == "bulk.example.org"
    assert room.script("maildrop", "newsletter", "stats").returncode == 0


def test_a_daemon_that_is_gone_leaves_its_mail_only(room):
    room.built(TWO)
    mail = room / "var/maildrop/newsletter/spool/mail"
    mail.write_text("##To:somebody@example.org\n")
    room.built(TWO.replace("main newsletter", "main").split("\n[newsletter]")[0])
    assert not list((room / "parts/maildrop").glob("*newsletter*"))
    assert mail.exists()


@pytest.mark.parametrize(
    ("now", "parts"),
    [
        (ONE + "home = var/other\n", "maildrop"),
        (ONE + "daemons = main\n", "maildrop"),
        (ONE.replace("[maildrop]", "[mails]") + "home = var/mails\n", "mails"),
        ("", ""),
    ],
)
def test_mail_in_a_home_that_no_daemon_has_any_more_is_named(room, now, parts):
    room.built(ONE)
    home = room / "var/maildrop"
    (home / "spool/mail").write_text("##To:somebody@example.org\n")
    assert f"maildrop: {home} is no daemon's home any more" in room.built(now, parts)
    assert "home any more" not in room.built(now, parts)


def test_a_former_home_that_nobody_may_look_at_is_named(tmp_path, caplog):
    # Root may look everywhere; a name too long for any file fails in the same way.
    abandoned.warn("maildrop", [f"{tmp_path}/{'x' * 300}"], [])
    assert "is no daemon's home any more" in caplog.text


def test_a_home_without_mail_or_with_a_new_owner_is_not_named(room):
    room.built(TWO)
    (room / "var/maildrop/newsletter/queue.db").touch()
    only = TWO.replace("main newsletter", "news").replace("[newsletter]", "[news]")
    said = room.built(only + "home = var/maildrop/newsletter\n")
    assert "home any more" not in said


def test_uninstalling_removes_programs_with_configurations_never_mail(room):
    room.built(ONE)
    mail = room / "var/maildrop/spool/mail"
    mail.write_text("##To:somebody@example.org\n")
    room.built("", parts="")
    assert room.programs() == set()
    assert not (room / "parts/maildrop").exists()
    assert mail.exists()


def test_uninstalling_leaves_a_directory_that_is_not_the_parts(tmp_path):
    files = [tmp_path / "parts/maildrop/a.service", tmp_path / "etc/maildrop.cfg"]
    for file in files:
        file.parent.mkdir(parents=True)
        file.touch()
    uninstall("maildrop", {"files": "\n".join(map(str, files))})
    assert not any(file.exists() for file in files)
    assert [file.parent.exists() for file in files] == [False, True]


def test_a_copy_of_the_buildout_uninstalls_its_own_files(room):
    room.built(ONE)
    copy = Room(room / "copy")
    shutil.copytree(room.folder, copy.folder)
    programs = room.programs()
    copy.built("", parts="")
    assert copy.programs() == set()
    assert not (copy / "parts/maildrop").exists()
    assert room.programs() == programs
    assert relay(room, "maildrop.conf") == "relay.example.org"


def test_mail_in_parts_survives_an_uninstall_too(room):
    room.built(ONE + "home = parts/maildrop\n")
    mail = room / "parts/maildrop/spool/mail"
    mail.write_text("##To:somebody@example.org\n")
    room.built("", parts="")
    assert mail.exists()
