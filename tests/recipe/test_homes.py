"""The home of a daemon: its own, or where infrae.maildrophost left mail."""

from __future__ import annotations

import pytest

from collective.maildrophost.engine.config import load

PART = "maildrophost"
MOVED = """
[maildrophost]
recipe = collective.recipe.maildrophost
"""


def configuration(room, path: str = "parts/maildrophost/maildrophost.conf"):
    return load(room / path, {})


def test_mail_that_waits_in_the_old_default_directory_is_found(room):
    (room / "var/maildrop/spool").mkdir(parents=True)
    for _again in range(2):
        room.built(MOVED, parts=PART)
        assert configuration(room).home == room / "var/maildrop"


def test_the_old_home_is_found_again_though_its_log_is_in_the_default_one(room):
    (room / "var/maildrop/spool").mkdir(parents=True)
    for _again in range(2):
        room.built(f"{MOVED}log-file = var/{PART}/maildrop.log\n", parts=PART)
        assert configuration(room).home == room / "var/maildrop"


def test_the_old_home_is_found_by_its_queue_once_the_spool_has_gone(room):
    spool = room / "var/maildrop/spool"
    spool.mkdir(parents=True)
    room.built(MOVED, parts=PART)
    (spool.parent / "queue.db").touch()
    spool.rmdir()
    room.built(MOVED, parts=PART)
    assert configuration(room).home == room / "var/maildrop"


def test_without_an_old_directory_the_part_names_its_own(room):
    room.built(MOVED, parts=PART)
    (room / "var/maildrop/spool").mkdir(parents=True)
    room.built(MOVED, parts=PART)
    assert configuration(room).home == room / "var/maildrophost"


ANOTHER = """
[another]
recipe = collective.recipe.maildrophost
"""


@pytest.mark.parametrize("parts", ["maildrop another", "another maildrop"])
def test_the_home_of_a_part_is_not_taken_for_one_left_behind(room, parts):
    first = "[maildrop]\nrecipe = collective.recipe.maildrophost\n"
    room.built(first)
    room.built(first + ANOTHER, parts=parts)
    for name in parts.split():
        moved = configuration(room, f"parts/{name}/{name}.conf")
        assert moved.home == room / f"var/{name}"


@pytest.mark.parametrize("parts", [f"{PART} another", f"another {PART}"])
def test_a_part_says_when_two_could_go_on_with_the_old_directory(room, parts):
    (room / "var/maildrop/spool").mkdir(parents=True)
    room.built(MOVED, parts=PART)
    assert f"home = {room / 'var/maildrop'}" in room.refused(MOVED + ANOTHER, parts)
    # A log alone does not make a home of its own.
    logs = ANOTHER + "log-file = var/another/maildrop.log\n"
    (room / "var/another").mkdir()
    assert f"home = {room / 'var/maildrop'}" in room.refused(MOVED + logs, parts)
    said = MOVED + "mail_dir = var/maildrop\n" + ANOTHER
    room.built(said, parts=parts)
    assert configuration(room).home == room / "var/maildrop"
    another = configuration(room, "parts/another/another.conf")
    assert another.home == room / "var/another"


@pytest.mark.parametrize("parts", [f"zope last {PART}", f"last {PART} zope"])
def test_the_old_directory_is_found_while_other_parts_ask_for_this_one(room, parts):
    (room / "var/maildrop/spool").mkdir(parents=True)
    room.built(
        f"""{MOVED}
[zope]
recipe = collective.recipe.template
output = ${{buildout:directory}}/zope.conf
mode = 644
inline = ${{maildrophost:zope-conf}}
[last]
recipe = collective.recipe.template
output = ${{buildout:directory}}/last.conf
inline = ${{zope:mode}} ${{maildrophost:location}}
""",
        parts,
    )
    assert configuration(room).home == room / "var/maildrop"


def test_a_home_that_a_macro_names_is_not_taken_for_one_left_behind(room):
    (room / "var/maildrop/spool").mkdir(parents=True)
    room.built(
        f"""{MOVED}
[defaults]
mail_dir = ${{buildout:directory}}/var/maildrop
[another]
<= defaults
recipe = collective.recipe.maildrophost
""",
        f"{PART} another",
    )
    assert configuration(room).home == room / "var/maildrophost"


SEVERAL = """
[maildrop]
recipe = collective.recipe.maildrophost
daemons = main newsletter
"""


@pytest.mark.parametrize("own", ["", "[main]\nhome = var/maildrop\n"])
@pytest.mark.parametrize("parts", ["maildrop another", "another maildrop"])
def test_a_part_with_several_daemons_keeps_the_home_of_its_name(room, own, parts):
    (room / "var/maildrop/spool").mkdir(parents=True)
    (room / "var/maildrop/queue.db").touch()
    room.built(SEVERAL + own)
    room.built(SEVERAL + own + ANOTHER, parts)
    moved = configuration(room, "parts/another/another.conf")
    assert moved.home == room / "var/another"


def test_a_daemon_of_a_part_with_another_name_keeps_the_home_that_it_names(room):
    (room / "var/maildrop/spool").mkdir(parents=True)
    several = SEVERAL.replace("[maildrop]", "[several]")
    room.built(
        several + "[main]\nmail_dir = ${buildout:directory}/var/maildrop\n" + ANOTHER,
        "several another",
    )
    moved = configuration(room, "parts/another/another.conf")
    assert moved.home == room / "var/another"


def test_several_daemons_without_mail_could_go_on_with_the_old_home_too(room):
    (room / "var/maildrop/spool").mkdir(parents=True)
    several = SEVERAL.replace("[maildrop]", "[several]")
    error = room.refused(MOVED + several, f"{PART} several")
    assert f"{PART} and main and newsletter could each go on with it" in error
    room.built(several, "several")
    room.built(MOVED + several, f"{PART} several")
    assert configuration(room).home == room / "var/maildrop"


def test_a_part_that_names_its_home_could_not_go_on_with_the_old_one(room):
    (room / "var/maildrop/spool").mkdir(parents=True)
    room.built(MOVED + ANOTHER + "home = var/said\n", f"{PART} another")
    assert configuration(room).home == room / "var/maildrop"


def test_a_home_behind_a_link_is_not_taken_for_one_left_behind(room):
    (room / "mail/spool").mkdir(parents=True)
    (room / "var").mkdir()
    (room / "var/maildrop").symlink_to(room / "mail")
    room.built(MOVED + ANOTHER + "home = mail\n", f"{PART} another")
    assert configuration(room).home == room / f"var/{PART}"
