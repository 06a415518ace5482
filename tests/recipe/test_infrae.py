"""Moving over from infrae.maildrophost by changing the line `recipe =`."""

from __future__ import annotations

import pytest

from collective.maildrophost.engine.config import load

# Every option of its documentation, but for the places of files.
MOVED = """
[maildrophost]
recipe = collective.recipe.maildrophost
smtp_host = relay.example.org
smtp_port = 587
login = site
password = secret
tls = 1
batch = 5
add_messageid = 0
poll_interval = 30
wait_interval = 0.5
supervised_daemon = 1
"""
PART = "maildrophost"


def configuration(room, path: str = "parts/maildrophost/maildrophost.conf"):
    return load(room / path, {})


def test_every_option_means_what_it_meant(room):
    room.built(MOVED, parts=PART)
    moved = configuration(room)
    assert [str(relay) for relay in moved.relays] == ["relay.example.org:587"]
    assert (moved.login, moved.password.reveal()) == ("site", "secret")
    assert (moved.tls, moved.batch, moved.interval) == (1, 5, 30.0)
    assert (moved.wait_interval, moved.add_messageid) == (0.5, False)
    assert moved.supervised_daemon is True


def test_both_spellings_of_the_interval_are_taken(room):
    room.built(MOVED.replace("poll_interval", "pool_interval"), parts=PART)
    assert configuration(room).interval == 30.0


def test_directories_stay_where_they_were_told_to_be(room):
    room.built(
        MOVED
        + """
mail_dir = ${buildout:directory}/mail
spool_dir = ${buildout:directory}/drop
pid_file = ${buildout:directory}/daemon.pid
""",
        parts=PART,
    )
    moved = configuration(room)
    assert moved.home == room / "mail"
    assert moved.spool == (room / "drop",)
    assert moved.pid_file == room / "daemon.pid"


def test_mail_that_waits_in_the_old_default_directory_is_found(room):
    (room / "var/maildrop/spool").mkdir(parents=True)
    for _again in range(2):
        room.built(MOVED, parts=PART)
        assert configuration(room).home == room / "var/maildrop"


def test_so_is_the_queue_once_the_old_directory_has_gone(room):
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
def test_the_home_of_a_part_is_not_left_behind(room, parts):
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


def test_the_home_of_a_part_that_is_said_elsewhere_is_not_left_behind(room):
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


def test_the_configuration_goes_where_it_was_told_to_go(room):
    room.built(MOVED + "maildrophost.cfg = etc/mail.cfg  # as ever\n", parts=PART)
    assert room.mode("etc/mail.cfg") == 0o600
    assert configuration(room, "etc/mail.cfg").login == "site"


@pytest.mark.parametrize("option", ["configuration", "maildrophost.cfg"])
def test_other_parts_find_the_configuration_by_its_old_names(room, option):
    room.built(
        f"""{MOVED}
[zope]
recipe = collective.recipe.template
output = ${{buildout:directory}}/zope.conf
inline = config-path-application ${{maildrophost:{option}}}
""",
        parts="zope",
    )
    path = room / "parts/maildrophost/maildrophost.conf"
    assert room.text("zope.conf") == f"config-path-application {path}"


def test_options_that_said_where_to_download_are_named_as_idle(room):
    old = "version = 1.22\ndont_create_directories = 1\n"
    output = room.built(MOVED + old, parts=PART)
    assert "maildrophost: version has no meaning any more" in output
    assert "maildrophost: dont_create_directories has no meaning any more" in output
