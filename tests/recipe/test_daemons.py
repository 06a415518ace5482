"""A part with several daemons."""

from __future__ import annotations

from pathlib import Path

import pytest

from collective.maildrophost.engine.config import load
from collective.recipe.maildrophost.daemons import Daemon
from collective.recipe.maildrophost.zopeconf import product_config

TWO = """
[maildrop]
recipe = collective.recipe.maildrophost
daemons = main newsletter
smtp-host = relay.example.org
login = site

[newsletter]
smtp-host = bulk.example.org
login =
"""


def relay(room, daemon: str) -> str:
    configuration = load(room / f"parts/maildrop/{daemon}.conf", {})
    return configuration.relays[0].host


def test_the_section_of_a_daemon_wins_over_the_part_in_its_configuration(room):
    room.built(TWO)
    assert room.mode("parts/maildrop/main.conf") == 0o600
    assert room.mode("parts/maildrop/newsletter.conf") == 0o600
    assert relay(room, "main") == "relay.example.org"
    assert relay(room, "newsletter") == "bulk.example.org"


def test_a_comment_after_a_value_is_not_part_of_it(room):
    room.built(
        TWO.replace("main newsletter", "main newsletter      # sections with options")
        .replace("relay.example.org", "relay.example.org  # shared by every daemon")
        .replace("login =", "login =  # none")
    )
    assert relay(room, "main") == "relay.example.org"
    assert relay(room, "newsletter") == "bulk.example.org"
    assert load(room / "parts/maildrop/newsletter.conf", {}).login == ""


def test_an_empty_option_of_a_daemon_is_the_default_again(room):
    room.built(TWO)
    assert load(room / "parts/maildrop/main.conf", {}).login == "site"
    assert load(room / "parts/maildrop/newsletter.conf", {}).login == ""


def test_each_daemon_has_its_own_directories(room):
    room.built(TWO)
    for daemon in ("main", "newsletter"):
        configuration = load(room / f"parts/maildrop/{daemon}.conf", {})
        assert configuration.home == room / "var/maildrop" / daemon
        assert room.mode(configuration.home) == 0o700


def test_zope_conf_lists_every_configuration(room):
    room.built(TWO)
    installed = room.text(".installed.cfg")
    for daemon in ("main", "newsletter"):
        assert f"config-path-{daemon} {room / f'parts/maildrop/{daemon}.conf'}" in (
            installed
        )


def test_a_dollar_in_a_path_has_no_meaning_in_zope_conf():
    daemon = Daemon("main", "mail", "main", Path("/srv/$mail/main.conf"), {}, {})
    assert "config-path-main /srv/$$mail/main.conf" in product_config([daemon])


def test_daemons_cannot_share_a_directory(room):
    error = room.refused(TWO.replace("login = site", "home = /srv/mail"))
    assert error.startswith("[maildrop] home: main and newsletter cannot share")


@pytest.mark.parametrize(
    ("option", "path"),
    [
        ("home", "var/maildrop/main"),
        ("spool", "var/maildrop/main/spool"),
        ("spool", "own;var/maildrop/../maildrop/main/./spool/"),
        ("var", "var/maildrop/main/var"),
        ("pid-file", "var/maildrop/main/var/maildrop.pid"),
        ("log-file", "linked/var/maildrop.log"),
        ("spool", "linked/spool"),
    ],
)
@pytest.mark.parametrize("daemons", ["main newsletter", "newsletter main"])
def test_daemons_cannot_share_what_one_has_by_default(room, daemons, option, path):
    (room / "var/maildrop/main").mkdir(parents=True)
    (room / "linked").symlink_to("var/maildrop/main")
    sections = f"{TWO}{option} = {path}\n".replace("main newsletter", daemons)
    error = room.refused(sections)
    names = " and ".join(daemons.split())
    assert error.startswith(f"[newsletter] {option}: {names} cannot share")
    assert str(room / "var/maildrop/main") in error
    assert not (room / "bin/maildrop").exists()


def test_daemons_cannot_share_a_queue_in_a_file(room):
    queue = f"queue = sqlite:///{room.folder}/queue.db\n"
    error = room.refused(TWO.replace("login = site\n", queue))
    assert error.startswith("[maildrop] queue: main and newsletter cannot share")


@pytest.mark.parametrize("own", ["", "metrics = 9180\n", "metrics = :9180\n"])
def test_daemons_cannot_share_a_port_for_metrics(room, own):
    sections = TWO.replace("login = site\n", "metrics = 127.0.0.1:9180\n") + own
    error = room.refused(sections)
    section = "newsletter" if own else "maildrop"
    assert error.startswith(f"[{section}] metrics: main and newsletter cannot share")
    assert "127.0.0.1:9180" in error
    room.built(f"{TWO.replace('login = site', 'metrics = 9180')}metrics = 9181\n")
    room.built(f"{TWO.replace('login = site', 'metrics = 9180')}metrics =\n")


def test_daemons_may_share_a_queue_on_a_server(room):
    queue = "queue = postgresql+psycopg://site@db.example.org/mail\n"
    room.built(TWO.replace("login = site\n", queue))


PARTS = """
[one]
recipe = collective.recipe.maildrophost
[two]
recipe = collective.recipe.maildrophost
daemons = main
[main]
"""


@pytest.mark.parametrize("parts", ["one two", "two one"])
def test_daemons_of_two_parts_cannot_share_a_directory(room, parts):
    error = room.refused(PARTS + "spool = var/one/spool\n", parts)
    assert error.startswith("[main] spool: ")
    assert "main of [two]" in error
    assert f"cannot share {room / 'var/one/spool'}" in error


def test_parts_cannot_write_one_configuration(room):
    sections = PARTS.replace("daemons = main", "").replace(
        "recipe = ", "maildrophost.cfg = mail.cfg\nrecipe = "
    )
    error = room.refused(sections, "one two")
    assert "[two] maildrophost.cfg: one and two cannot share" in error


@pytest.mark.parametrize("parts", ["mail mail-start", "mail-start mail"])
def test_parts_cannot_write_one_program(room, parts):
    error = room.refused(
        """\
        [mail]
        recipe = collective.recipe.maildrophost
        [mail-start]
        recipe = collective.recipe.maildrophost
        """,
        parts,
    )
    first, second = parts.split()
    assert error.startswith(f"[{second}] and [{first}] would both write bin/mail-start")


def test_a_part_that_is_not_built_may_share_what_it_likes(room):
    room.built(PARTS + "spool = var/one/spool\n", "one")


def test_parts_may_ask_for_each_other_before_they_can_answer(room):
    """Other parts ask for one of them while they cannot answer themselves yet."""
    room.built(
        f"""{PARTS}
[zope]
recipe = collective.recipe.template
output = ${{buildout:directory}}/zope.conf
inline = ${{one:zope-conf}}
[last]
recipe = collective.recipe.template
output = ${{buildout:directory}}/last.conf
inline = ${{zope:output}} ${{two:zope-conf}}
""",
        "zope last two one",
    )


def test_a_daemon_cannot_be_another_part(room):
    error = room.refused(TWO.replace("login =\n", "recipe = zc.recipe.egg\n"))
    assert "[newsletter] is a part with a recipe" in error


def test_a_daemon_is_listed_once(room):
    error = room.refused(TWO.replace("main newsletter", "main main"))
    assert error.startswith("[maildrop] daemons: expected each name once")


def test_a_name_of_a_daemon_suits_a_file_and_zope_conf(room):
    error = room.refused(TWO.replace("main newsletter", "../main"))
    assert error.startswith("[maildrop] daemons: expected names of lower-case letters")
