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


def test_the_configuration_goes_where_it_was_told_to_go(room):
    room.built(MOVED + "maildrophost.cfg = etc/mail.cfg  # as ever\n", parts=PART)
    assert room.mode("etc/mail.cfg") == 0o600
    assert configuration(room, "etc/mail.cfg").login == "site"


def test_the_file_of_a_home_directory_is_to_be_written_out(room):
    error = room.refused(MOVED + "maildrophost.cfg = ~/mail.cfg\n", parts=PART)
    assert "[maildrophost] maildrophost.cfg: expected a path that is written" in error
    assert not (room / "~").exists()


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


def test_options_that_said_where_to_download_are_reported_as_unused(room):
    old = "version = 1.22\ndont_create_directories = 1\n"
    output = room.built(MOVED + old, parts=PART)
    assert "maildrophost: version has no meaning any more" in output
    assert "maildrophost: dont_create_directories has no meaning any more" in output
