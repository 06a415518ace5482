"""The words of a buildout that stops at a wrong option."""

from __future__ import annotations

import pytest

from collective.recipe.maildrophost import validation

CANARY = "c4n4ry-pAssw0rd"
ONE = """
[maildrop]
recipe = collective.recipe.maildrophost
"""


def test_an_unknown_option_suggests_the_nearest_and_lists_all(room):
    error = room.refused(ONE + "smpt-host = relay.example.org\n")
    assert error.startswith(
        "[maildrop] smpt-host: there is no such option; did you mean smtp-host?"
    )
    assert "retry-max" in error


@pytest.mark.parametrize("short", ["password", "tls", "home"])
@pytest.mark.parametrize("full", ["MAILDROP_{}", "maildrop-{}"])
def test_a_full_name_suggests_the_short_one(room, short, full):
    name = full.format(short if "-" in full else short.upper())
    error = room.refused(ONE + f"{name} = canary\n")
    assert f"did you mean {short}?" in error
    assert "canary" not in error


def test_an_option_that_the_programs_cannot_do_anything_with_is_refused(room):
    error = room.refused(ONE + "relative-paths = perhaps\n")
    assert error == "[maildrop] relative-paths: expected true or false."
    assert not (room / "parts/maildrop").exists()


def test_a_wrong_value_names_option_and_section(room):
    error = room.refused(ONE + "tls = 4\n")
    assert error == "[maildrop] tls: expected a whole number from 0 to 3, got '4'."


def test_an_error_in_the_section_of_a_daemon_names_that_section(room):
    error = room.refused(ONE + "daemons = main\n\n[main]\ntls = starttls\n")
    assert error == "[main] tls: expected a whole number from 0 to 3, got 'starttls'."


def test_an_option_of_the_part_is_not_one_of_a_daemon(room):
    error = room.refused(ONE + "daemons = main\n\n[main]\neggs = Markdown\n")
    assert error.startswith("[main] eggs: there is no such option")


def test_an_option_in_both_spellings_is_refused(room):
    error = room.refused(ONE + "smtp-host = one\nsmtp_host = two\n")
    assert error.endswith("smtp-host is set twice.")


@pytest.mark.parametrize(
    ("options", "error"),
    [
        ("metrics = banana", "metrics: expected host:port, got 'banana'."),
        ("postmaster = no address", "postmaster: expected a mail address"),
        ("debug-receiver = a@b, c d", "debug-receiver: expected mail addresses"),
        ("oauth-token-url = ftp://x", "oauth-token-url: expected an https:// address"),
        ("smtp-host = 1.2.3.4.5", "smtp-host: expected a host, host:port"),
        (
            "retry-min = 100\nretry-max = 10",
            "retry-min: expected at most retry-max (10), got 100.",
        ),
        (
            "auth = xoauth2",
            "auth: expected login, oauth-token-url, oauth-client-id to go with",
        ),
        (
            f"password = {CANARY}\npassword-file = secret",
            "password-file: expected either password or password-file, not both.",
        ),
        ("home = var/what?", "queue: expected sqlite:////PATH"),
    ],
)
def test_what_the_daemon_would_refuse_is_refused_by_the_buildout(room, options, error):
    said = room.refused(f"{ONE}{options}\n")
    assert said.startswith(f"[maildrop] {error}")
    assert "MAILDROP_" not in said
    assert not (room / "var").exists()
    assert not (room / "parts/maildrop").exists()


@pytest.mark.parametrize("section", ["maildrop", "main"])
def test_what_the_daemon_would_refuse_names_the_section_that_says_it(room, section):
    sections = f"{ONE}daemons = other main\n[main]\nlogin = me\n[other]\nmetrics = 1\n"
    wrong = sections.replace(f"[{section}]\n", f"[{section}]\nmetrics = banana\n")
    assert room.refused(wrong).startswith(f"[{section}] metrics: expected host:port")


def test_files_that_options_name_may_come_later(room):
    room.built(f"{ONE}login = me\npassword-file = later\ntls-ca-file = later\n")


def test_a_refused_option_leaves_nothing_behind(room):
    room.refused(ONE + "tls = 4\n")
    assert not (room / "var").exists()
    assert not (room / "parts/maildrop").exists()


def test_a_refused_option_leaves_what_was_built_before_as_it_was(room):
    first = """
[first]
recipe = collective.recipe.template
output = ${buildout:directory}/first
inline = text
"""
    room.built(ONE)
    before = room.text("parts/maildrop/maildrop.conf")
    room.refused(f"{first}{ONE}metrics = banana\n", "first maildrop")
    assert room.text("parts/maildrop/maildrop.conf") == before
    assert room.script("maildrop", "stats").returncode == 0
    assert not (room / "first").exists()


TWO = f"{ONE}daemons = main other\n[other]\nrate = 600\n"


def test_a_directory_that_cannot_be_made_is_known_before_anything_is_written(room):
    room.built(TWO)
    before = room.text("parts/maildrop/main.conf")
    (room / "taken").write_text("a file")
    error = room.refused(f"{TWO}home = taken/mail\n".replace("600", "60"))
    assert error.startswith("[other] home: expected a directory that can be made")
    assert room.text("parts/maildrop/main.conf") == before
    assert room.script("maildrop", "main", "stats").returncode == 0


def test_a_directory_that_cannot_be_made_names_the_section_that_says_it(room):
    (room / "taken").write_text("a file")
    error = room.refused(TWO.replace("main other", "other\nhome = taken/mail"))
    assert error.startswith("[maildrop] home: expected a directory that can be made")


def test_a_directory_that_only_the_attempt_refuses_leaves_no_file_behind(room):
    room.refused(f"{TWO}home = /proc/nowhere/mail\n")
    assert not (room / "parts/maildrop").exists()
    assert not list((room / "bin").iterdir())


def test_an_egg_that_cannot_be_had_leaves_no_file_behind(room):
    assert "click<1" in room.refused(f"{ONE}eggs = click<1\n")
    assert not (room / "parts/maildrop").exists()
    assert not list((room / "bin").iterdir())


def test_a_password_beside_a_wrong_option_is_not_printed(room):
    room.write(f"{ONE}login = me\npassword = {CANARY}\nmetrics = banana\n")
    run = room.build("-vvv")
    assert run.returncode != 0
    assert "metrics" in run.stderr
    assert CANARY not in run.stdout + run.stderr


def test_without_the_daemons_program_the_buildout_says_why_it_cannot_check(monkeypatch):
    class NoEggs:
        def __init__(self, *arguments):
            pass

        def working_set(self):
            return [], []

    monkeypatch.setattr(validation, "Eggs", NoEggs)
    with pytest.raises(validation.UserError) as error:
        validation.check({}, "maildrop", {}, ())
    assert "[maildrop] collective.maildrophost cannot check the options" in str(
        error.value
    )
    assert "No module named" in str(error.value)
