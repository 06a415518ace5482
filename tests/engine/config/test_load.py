"""Promises of a whole configuration file."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from collective.maildrophost.engine.config import (
    OPTIONS,
    Configuration,
    ConfigurationError,
    RelayAddress,
    load,
)

OLD_FILE = """\
# IMPORTANT NOTE: This file is also sourced by a couple shell scripts
PYTHON="/usr/bin/python"
MAILDROP_HOME="/tmp/maildrop"
# MAILDROP_SPOOL="/tmp/maildrop/spool"
MAILDROP_SPOOL="/tmp/a;/tmp/b"
SMTP_HOST="localhost"
SMTP_PORT=25
MAILDROP_INTERVAL=120
DEBUG=0
DEBUG_RECEIVER=""
MAILDROP_BATCH=0
MAILDROP_TLS=0
MAILDROP_LOGIN=""
MAILDROP_PASSWORD=""
WAIT_INTERVAL=0.0
ADD_MESSAGEID=0
SUPERVISED_DAEMON=0
"""


def test_a_home_is_enough_and_the_rest_has_its_default(load_text, path):
    configuration = load_text()
    assert configuration.path == path
    assert configuration.warnings == ()
    assert configuration.home == Path("/srv/mail")
    assert configuration.spool == (Path("/srv/mail/spool"),)
    assert configuration.var == Path("/srv/mail/var")
    assert configuration.pid_file == Path("/srv/mail/var/maildrop.pid")
    assert configuration.log_file == Path("/srv/mail/var/maildrop.log")
    assert configuration.queue == "sqlite:////srv/mail/queue.db"
    assert configuration.relays == (RelayAddress("localhost", 25),)
    assert configuration.interval == 10
    assert configuration.add_messageid is True
    assert configuration.concurrency == 10
    assert (configuration.retry_min, configuration.retry_max) == (60, 4000)
    assert configuration.tls == 0
    assert configuration.tls_verify is True
    assert not configuration.password


def test_an_impossible_default_is_reported_with_how_it_came_about(load_text):
    with pytest.raises(ConfigurationError) as error:
        load_text("MAILDROP_HOME=/srv/what?")
    assert error.value.option == "MAILDROP_QUEUE"
    assert "(it is sqlite:///$MAILDROP_HOME/queue.db unless set)" in str(error.value)


def test_defaults_follow_the_option_that_they_name(load_text):
    assert load_text("MAILDROP_VAR=/run/m").log_file == Path("/run/m/maildrop.log")


def test_an_old_file_keeps_working(path):
    path.write_text(OLD_FILE)
    configuration = load(path, {})
    assert configuration.warnings == ()
    assert configuration.python == "/usr/bin/python"
    assert configuration.spool == (Path("/tmp/a"), Path("/tmp/b"))
    assert configuration.interval == 120
    assert configuration.add_messageid is False


def test_every_option_of_the_table_has_its_attribute():
    fields = {field.name for field in dataclasses.fields(Configuration)}
    attributes = {option.attribute for option in OPTIONS}
    assert fields - attributes == {"path", "warnings", "relays"}
    assert attributes - fields == {"smtp_host", "smtp_port"}


def test_the_default_of_every_option_can_be_written_down(load_text):
    lines = [option.assignment() for option in OPTIONS if option.default is not None]
    written = load_text("\n".join(lines))
    assert written == load_text()


def test_the_environment_wins_over_the_file(load_text):
    configuration = load_text(
        'SMTP_PORT=25\nMAILDROP_SPOOL="$MAILDROP_HOME/drop"\n',
        SMTP_PORT="2525",
        MAILDROP_HOME="/srv/other",
    )
    assert configuration.relays == (RelayAddress("localhost", 2525),)
    assert configuration.spool == (Path("/srv/other/drop"),)


def test_an_error_in_the_environment_names_the_variable(load_text):
    with pytest.raises(ConfigurationError) as error:
        load_text("SMTP_PORT=25", SMTP_PORT="smtp")
    assert str(error.value) == (
        "environment variable SMTP_PORT: "
        "expected a whole number from 1 to 65535, got 'smtp'"
    )


def test_a_missing_home_is_named(load_text, path):
    with pytest.raises(ConfigurationError) as error:
        load_text(home="")
    expected = f"{path}: MAILDROP_HOME: required: expected an absolute path"
    assert str(error.value) == expected


def test_an_error_names_file_line_option_with_what_was_expected(load_text, path):
    with pytest.raises(ConfigurationError) as error:
        load_text("\n# comment\nMAILDROP_TLS=4\n")
    assert (error.value.path, error.value.line) == (path, 4)
    assert error.value.option == "MAILDROP_TLS"
    assert error.value.expected == "expected a whole number from 0 to 3, got '4'"
    assert str(error.value) == f"{path}:4: MAILDROP_TLS: {error.value.expected}"


def test_an_unknown_option_is_a_warning_with_the_nearest_name(load_text, path):
    assert load_text("MAILDROP_CONCURENCY=2\ntls=1\nfoo=1\n").warnings == (
        f"{path}:2: MAILDROP_CONCURENCY: unknown option, ignored; "
        "did you mean MAILDROP_CONCURRENCY?",
        f"{path}:3: tls: unknown option, ignored; did you mean MAILDROP_TLS?",
        f"{path}:4: foo: unknown option, ignored",
    )


def test_the_last_of_two_lines_wins_with_a_warning(load_text, path):
    configuration = load_text("DEBUG=1\nDEBUG=0\n")
    assert configuration.debug is False
    assert configuration.warnings == (
        f"{path}:3: DEBUG: set again: this line wins over line 2",
    )


def test_none_means_the_default(load_text):
    assert load_text("SMTP_PORT=None\nMAILDROP_LOGIN=None").login == ""


def test_none_is_an_error_where_there_is_no_default(path):
    path.write_text("SMTP_PORT=25\nMAILDROP_HOME=None\n")
    with pytest.raises(ConfigurationError) as error:
        load(path, {})
    assert str(error.value) == (
        f"{path}:2: MAILDROP_HOME: expected absolute path, got None"
    )


def test_a_missing_file_is_an_error(path):
    with pytest.raises(ConfigurationError, match="No such file"):
        load(path, {})


def test_a_directory_is_no_configuration(tmp_path):
    with pytest.raises(ConfigurationError, match="readable configuration file"):
        load(tmp_path, {})


def test_a_path_that_no_file_can_have_is_no_readable_configuration():
    with pytest.raises(ConfigurationError, match="readable configuration file"):
        load("/etc/\0.conf", {})


def test_a_name_in_a_working_directory_that_was_removed_is_unreadable(
    tmp_path, monkeypatch
):
    removed = tmp_path / "removed"
    removed.mkdir()
    monkeypatch.chdir(removed)
    removed.rmdir()
    with pytest.raises(
        ConfigurationError, match="expected a readable configuration file"
    ):
        load("x.conf")


def test_a_file_that_is_not_utf_8_is_an_error_with_its_line(path):
    path.write_bytes(b"MAILDROP_HOME=/srv\n# M\xfcller\n")
    with pytest.raises(ConfigurationError, match=r"main\.conf:2: expected UTF-8"):
        load(path, {})


def test_a_nul_anywhere_is_an_error_with_its_line(path):
    path.write_bytes(b"MAILDROP_HOME=/x\n\n# a \0 in a comment\n")
    with pytest.raises(ConfigurationError, match=r"main\.conf:3: expected text"):
        load(path, {})


def test_a_file_without_end_is_no_configuration():
    with pytest.raises(ConfigurationError, match="expected at most 1000000 bytes"):
        load(Path("/dev/zero"), {})


def test_windows_line_ends_with_a_byte_order_mark_are_fine(path):
    path.write_bytes(b"\xef\xbb\xbfMAILDROP_HOME=/srv\r\nDEBUG=1\r\n")
    assert load(path, {}).debug is True


def test_equal_files_make_equal_configurations_that_hash(load_text):
    first = load_text("MAILDROP_LOGIN=me\nMAILDROP_PASSWORD=x")
    second = load_text("MAILDROP_LOGIN=me\nMAILDROP_PASSWORD=x")
    assert first == second
    assert hash(first) == hash(second)
    assert load_text("MAILDROP_LOGIN=me\nMAILDROP_PASSWORD=y") != first


@pytest.mark.parametrize(
    ("lines", "option"),
    [
        ("MAILDROP_RETRY_MIN=5000", "MAILDROP_RETRY_MIN"),
        ("MAILDROP_RETRY_MAX=5", "MAILDROP_RETRY_MAX"),
        ("MAILDROP_AUTH=plain", "MAILDROP_AUTH"),
        ("MAILDROP_AUTH=xoauth2\nMAILDROP_LOGIN=me", "MAILDROP_AUTH"),
        ("MAILDROP_TLS_CA_FILE=/nowhere/ca.pem", "MAILDROP_TLS_CA_FILE"),
        ("MAILDROP_PASSWORD_FILE=/nowhere/pw", "MAILDROP_PASSWORD_FILE"),
    ],
)
def test_options_that_do_not_fit_each_other_are_refused(load_text, lines, option):
    with pytest.raises(ConfigurationError) as error:
        load_text(lines)
    assert error.value.option == option
    assert error.value.line == 2


def test_xoauth2_with_all_that_it_needs_is_accepted(load_text):
    configuration = load_text(
        "MAILDROP_AUTH=xoauth2\nMAILDROP_LOGIN=me@example.org\n"
        "MAILDROP_OAUTH_TOKEN_URL=https://login.example.org/token\n"
        "MAILDROP_OAUTH_CLIENT_ID=abc\n"
        "MAILDROP_OAUTH_REFRESH_TOKEN_FILE=/srv/token\n"
    )
    assert configuration.auth == "xoauth2"
    assert configuration.warnings == ()


def test_that_all_mail_goes_to_somebody_else_is_a_warning(load_text, path):
    told = "all mail goes to a@example.org, b@example.org, and none to its recipients"
    configuration = load_text("DEBUG_RECEIVER='A <a@example.org>, b@example.org'")
    assert configuration.debug_receiver == ("a@example.org", "b@example.org")
    assert configuration.warnings == (f"{path}:2: DEBUG_RECEIVER: {told}",)


def test_half_a_login_is_a_warning_that_names_the_place(load_text, path, tmp_path):
    secret = tmp_path / "secret"
    secret.write_text("x")
    file = {"MAILDROP_PASSWORD_FILE": str(secret)}
    no_password = "not used without MAILDROP_PASSWORD: there is no login"
    no_login = "not used without MAILDROP_LOGIN: there is no login"
    for text, environ, expected in (
        ("MAILDROP_LOGIN=me", {}, f"{path}:2: MAILDROP_LOGIN: {no_password}"),
        ("MAILDROP_PASSWORD=x", {}, f"{path}:2: MAILDROP_PASSWORD: {no_login}"),
        (
            f"MAILDROP_PASSWORD_FILE={secret}",
            {},
            f"{path}:2: MAILDROP_PASSWORD_FILE: {no_login}",
        ),
        ("", file, f"environment variable MAILDROP_PASSWORD_FILE: {no_login}"),
    ):
        assert load_text(text, **environ).warnings == (expected,)
