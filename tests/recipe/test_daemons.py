"""A part with several daemons."""

from __future__ import annotations

from collective.maildrophost.engine.config import load

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


def test_each_daemon_has_its_own_configuration(room):
    room.built(TWO)
    assert room.mode("parts/maildrop/main.conf") == 0o600
    assert room.mode("parts/maildrop/newsletter.conf") == 0o600
    assert relay(room, "main") == "relay.example.org"


def test_a_comment_behind_a_value_is_none_of_it(room):
    room.built(
        TWO.replace("main newsletter", "main newsletter      # sections with options")
        .replace("relay.example.org", "relay.example.org  # shared by every daemon")
        .replace("login =", "login =  # none")
    )
    assert relay(room, "main") == "relay.example.org"
    assert relay(room, "newsletter") == "bulk.example.org"
    assert load(room / "parts/maildrop/newsletter.conf", {}).login == ""


def test_the_section_of_a_daemon_wins_over_the_part(room):
    room.built(TWO)
    assert relay(room, "newsletter") == "bulk.example.org"


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


def test_daemons_cannot_share_a_directory(room):
    error = room.refused(TWO.replace("login = site", "home = /srv/mail"))
    assert error.startswith("[maildrop] home: main and newsletter cannot share")


def test_a_daemon_cannot_be_another_part(room):
    error = room.refused(TWO.replace("login =\n", "recipe = zc.recipe.egg\n"))
    assert "[newsletter] is a part with a recipe" in error


def test_a_daemon_is_listed_once(room):
    error = room.refused(TWO.replace("main newsletter", "main main"))
    assert error.startswith("[maildrop] daemons: expected every name once")


def test_a_name_of_a_daemon_suits_a_file_and_zope_conf(room):
    error = room.refused(TWO.replace("main newsletter", "../main"))
    assert error.startswith("[maildrop] daemons: expected names of small letters")
