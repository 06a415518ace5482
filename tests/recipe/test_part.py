"""A part with one daemon: its files, programs, directories."""

from __future__ import annotations

from collective.maildrophost.engine.config import load

ONE = """
[maildrop]
recipe = collective.recipe.maildrophost
smtp-host = relay.example.org
smtp-port = 587
"""


def test_a_part_writes_the_configuration_for_its_owner_alone(room):
    room.built(ONE)
    assert room.mode("parts/maildrop/maildrop.conf") == 0o600
    configuration = load(room / "parts/maildrop/maildrop.conf", {})
    assert [str(relay) for relay in configuration.relays] == ["relay.example.org:587"]
    assert configuration.warnings == ()


def test_the_data_is_in_var_for_its_owner_alone(room):
    room.built(ONE)
    configuration = load(room / "parts/maildrop/maildrop.conf", {})
    assert configuration.home == room / "var/maildrop"
    for directory in (configuration.home, configuration.var, *configuration.spool):
        assert room.mode(directory) == 0o700


def test_a_directory_that_exists_keeps_its_mode(room):
    (room / "var/maildrop/spool").mkdir(parents=True)
    (room / "var/maildrop/spool").chmod(0o1777)
    room.built(ONE)
    assert room.mode("var/maildrop/spool") == 0o1777


def test_a_part_writes_its_programs_and_none_of_the_eggs(room):
    room.built(ONE)
    assert room.programs() == {
        "maildrop",
        "maildrop-start",
        "maildrop-stop",
        "maildrop-restart",
        "maildrop-status",
    }


def test_the_programs_need_no_zope(room):
    room.built(ONE)
    assert "Zope" not in room.text("bin/maildrop")
    assert "Plone" not in room.text("bin/maildrop")


def test_extra_eggs_are_there_for_the_daemon(room):
    room.built(ONE + "eggs = Markdown\n")
    assert "/Markdown-" in room.text("bin/maildrop")
    assert "/Markdown-" in room.text("bin/maildrop-start")


def test_a_comment_after_an_option_does_not_get_into_the_programs(room):
    room.built(
        f"""{ONE}
extra-paths = more  # ours
relative-paths = true  # it moves
eggs =
    # for the page
    Markdown
index =
initialization = import os  # of Python
"""
    )
    program = room.text("bin/maildrop")
    assert "more'" in program
    assert "  # of Python" in program
    assert "/Markdown-" in program
    assert room.script("maildrop", "stats").returncode == 0


def test_zope_conf_lists_the_configuration(room):
    room.built(
        ONE
        + """
[zope]
recipe = collective.recipe.template
output = ${buildout:directory}/zope.conf
inline = ${maildrop:zope-conf}
""",
        parts="zope",
    )
    assert room.text("zope.conf").splitlines() == [
        "<product-config maildrophost>",
        f"  config-path-maildrop {room / 'parts/maildrop/maildrop.conf'}",
        "</product-config>",
    ]


def test_paths_may_be_relative_to_the_buildout(room):
    room.built(ONE + "home = data/mail\nspool =\n    drop\n    other/drop\n")
    configuration = load(room / "parts/maildrop/maildrop.conf", {})
    assert configuration.home == room / "data/mail"
    assert configuration.spool[0] == room / "drop"


def test_every_file_of_the_daemon_has_a_directory_to_be_in(room):
    room.built(
        f"{ONE}log-file = log/mail.log\npid-file = pids/mail.pid\n"
        f"queue = sqlite:///{room.folder}/queues/main.db\n"
    )
    for directory in ("log", "pids", "queues"):
        assert room.mode(directory) == 0o700
    assert room.script("maildrop", "run", "--once").returncode == 0


def test_a_directory_that_cannot_be_made_names_option_and_reason(room):
    (room / "taken").write_text("a file")
    error = room.refused(ONE + "home = taken/mail\n")
    assert error.startswith("[maildrop] home: expected a directory that can be made")
    assert "Not a directory" in error
