"""Promises about passwords: used, never shown."""

from __future__ import annotations

import copy
import dataclasses
import pickle
import traceback

import pytest
from sqlalchemy.engine import make_url

from collective.maildrophost.engine.config import ConfigurationError, Secret, load

WORD = "gEheim99"
LOGIN = f"MAILDROP_LOGIN=me\nMAILDROP_PASSWORD={WORD}\n"


def test_a_secret_gives_its_text_only_when_asked():
    secret = Secret(WORD)
    assert secret.reveal() == WORD
    for shown in (repr(secret), str(secret), f"{secret:>20}"):
        assert shown == "****"
    assert secret == Secret(WORD)
    assert secret != WORD
    assert len({secret, Secret(WORD)}) == 1
    assert bool(secret)
    assert not Secret("")


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_a_secret_cannot_be_pickled(protocol):
    with pytest.raises(TypeError) as error:
        pickle.dumps(Secret(WORD), protocol)
    assert WORD not in str(error.value)


def test_a_configuration_never_shows_its_password(load_text):
    configuration = load_text(LOGIN)
    assert configuration.password.reveal() == WORD
    copied = copy.deepcopy(configuration)
    for shown in (
        repr(configuration),
        str(configuration),
        repr(dataclasses.asdict(configuration)),
        repr(dataclasses.astuple(configuration)),
        repr(copied),
    ):
        assert WORD not in shown
    with pytest.raises(TypeError):
        pickle.dumps(configuration)


@pytest.mark.parametrize(
    "lines",
    [
        f"MAILDROP_PASSWORD='{WORD}",
        f'MAILDROP_PASSWORD="{WORD}',
        f"MAILDROP_PASSWORD={WORD} {WORD}",
        f"MAILDROP_PASSWORD={WORD};x",
        f"MAILDROP_PASSWORD= {WORD}",
        f"MAILDROP_PASSWORD = {WORD}",
        f"MAILDROP_PASSWORD : {WORD}",
        f"MAILDROP_PASSWORD=u'{WORD}'",
        f"MAILDROP_PASSWORD={WORD}\\",
        f"{LOGIN}MAILDROP_PASSWORD_FILE=/nowhere",
        f"{LOGIN}SMTP_PORT=x",
        f"MAILDROP_QUEUE=postgresql+psycopg://me:{WORD}@host/db\nSMTP_PORT=x",
        f"MAILDROP_QUEUE=postgres://me:{WORD}@host/db",
        f"MAILDROP_OAUTH_TOKEN_URL=https://me:{WORD}@[host",
        f"MAILDROP_OAUTH_TOKEN_URL='https://me:{WORD}#@host/token'",
        f"'{WORD}'",
    ],
)
def test_no_error_shows_a_password(load_text, lines):
    with pytest.raises(ConfigurationError) as error:
        load_text(lines)
    assert WORD not in "".join(traceback.format_exception(error.value))
    assert WORD not in repr(error.value)


@pytest.mark.parametrize("value", [f"$x{WORD}", f"${WORD}", f"`{WORD}", f"$({WORD})"])
def test_no_warning_shows_a_password(load_text, value):
    configuration = load_text(f'MAILDROP_LOGIN=me\nMAILDROP_PASSWORD="{value}"')
    assert configuration.password.reveal() == value
    [warning] = configuration.warnings
    assert WORD not in warning
    assert "single quotes" in warning


def test_another_option_cannot_include_the_password(load_text):
    configuration = load_text(f'{LOGIN}PYTHON="$MAILDROP_PASSWORD"')
    assert WORD not in repr(configuration)


@pytest.mark.parametrize("password", [WORD, f"{WORD}/x", f"x%40{WORD}", f":{WORD}"])
def test_the_password_of_the_queue_is_used_but_not_shown(load_text, password):
    url = f"postgresql+psycopg://me:{password}@db.example.org/mail"
    queue = load_text(f"MAILDROP_QUEUE='{url}'").queue
    assert queue == url
    assert make_url(queue) == make_url(url)
    shown = "postgresql+psycopg://me:***@db.example.org/mail"
    assert str(queue) == f"{queue}" == shown
    assert repr(queue) == repr(shown)


@pytest.mark.parametrize(
    "name", ["password", "sslpassword", "PASSWORD", "pass%77ord", "%50assword"]
)
def test_a_password_parameter_of_the_queue_is_not_shown(load_text, name):
    url = f"postgresql+psycopg://me@h/mail?{name}={WORD}&sslmode=require"
    assert WORD not in repr(load_text(f"MAILDROP_QUEUE='{url}'"))


@pytest.mark.parametrize(
    "parameters",
    [
        *(f"options=-c%20app.key%3D{WORD}", f"oauth_client_secret={WORD}"),
        *(f"passwd={WORD}", f"password=a&{WORD}", f"password=a?{WORD}"),
    ],
)
def test_a_parameter_of_the_queue_that_may_be_secret_is_not_shown(
    load_text, parameters
):
    url = f"postgresql+psycopg://me@h/mail?sslmode=require&{parameters}"
    queue = load_text(f"MAILDROP_QUEUE='{url}'").queue
    assert WORD not in str(queue)
    assert queue.holds_password
    assert "?sslmode=require&" in str(queue)


@pytest.mark.parametrize(
    "place",
    [
        # Each has something for the host or the port that is part of the password.
        f"me:x@{WORD}@db.example.org/mail",
        f"me:x@y:{WORD}@db.example.org/mail",
        f"me:{WORD}/mail",
        f"me:{WORD}",
        f"db.example.org?password=x@{WORD}",
    ],
)
def test_a_queue_whose_password_could_be_read_in_two_ways_is_refused(load_text, place):
    with pytest.raises(ConfigurationError, match="written as %40") as error:
        load_text(f"MAILDROP_QUEUE='postgresql+psycopg://{place}'")
    assert WORD not in str(error.value)


@pytest.mark.parametrize(
    "line",
    [
        f"MAILDROP_PASSWORD_FILE={WORD}",
        f"MAILDROP_OAUTH_CLIENT_SECRET_FILE={WORD}",
        f"MAILDROP_OAUTH_REFRESH_TOKEN_FILE={WORD}",
        f"SMTP_HOST=me:{WORD}@relay.example.org",
        f"SMTP_HOST=me:{WORD}@relay.example.org:587",
        f"SMTP_HOST=[::1]:{WORD}@relay.example.org",
        f"SMTP_HOST='{WORD}:{WORD};x@relay.example.org'",
        f"MAILDROP_METRICS=me:{WORD}@h:1",
    ],
)
def test_a_password_in_the_wrong_option_is_not_shown(load_text, line):
    with pytest.raises(ConfigurationError, match="expected") as error:
        load_text(line)
    assert WORD not in str(error.value)


@pytest.mark.parametrize("ending", ["", "\n", "\r\n"])
def test_a_password_file_gives_its_line(load_text, tmp_path, ending):
    file = tmp_path / "password"
    file.write_text(f" {WORD} {ending}", newline="")
    configuration = load_text(f"MAILDROP_LOGIN=me\nMAILDROP_PASSWORD_FILE={file}")
    assert configuration.password.reveal() == f" {WORD} "
    assert configuration.password_file == str(file)


@pytest.mark.parametrize("content", [b"", b"\n", b"one\ntwo\n", b"\xff\xfe\n", b"a\0b"])
def test_a_password_file_without_exactly_one_line_is_refused(
    load_text, tmp_path, content
):
    file = tmp_path / "password"
    file.write_bytes(content)
    with pytest.raises(ConfigurationError) as error:
        load_text(f"MAILDROP_PASSWORD_FILE={file}")
    assert error.value.option == "MAILDROP_PASSWORD_FILE"
    assert "one" not in str(error.value).replace("one line", "")


def test_a_password_comes_from_one_place_only(load_text, tmp_path):
    file = tmp_path / "password"
    file.write_text(WORD)
    both = f"MAILDROP_PASSWORD_FILE={file}\nMAILDROP_PASSWORD=other"
    in_environment = {
        "MAILDROP_PASSWORD_FILE": str(file),
        "MAILDROP_PASSWORD": "other",
    }
    for text, environ, line in ((both, {}, 2), ("", in_environment, None)):
        with pytest.raises(ConfigurationError, match="not both") as error:
            load_text(text, **environ)
        assert error.value.line == line
        assert "other" not in str(error.value)


def test_a_password_of_the_environment_wins_over_the_file_that_holds_one(
    load_text, tmp_path
):
    text = f"MAILDROP_LOGIN=me\nMAILDROP_PASSWORD_FILE={tmp_path / 'password'}"
    configuration = load_text(text, MAILDROP_PASSWORD=WORD)
    assert configuration.password.reveal() == WORD
    assert configuration.password_file == ""


def test_a_file_that_the_environment_names_wins_over_the_password(load_text, tmp_path):
    file = tmp_path / "password"
    file.write_text(WORD)
    configuration = load_text(
        "MAILDROP_LOGIN=me\nMAILDROP_PASSWORD=other", MAILDROP_PASSWORD_FILE=str(file)
    )
    assert configuration.password.reveal() == WORD


def test_an_empty_password_of_the_environment_leaves_the_file_that_holds_one(
    load_text, tmp_path
):
    file = tmp_path / "password"
    file.write_text(WORD)
    text = f"MAILDROP_LOGIN=me\nMAILDROP_PASSWORD_FILE={file}"
    assert load_text(text, MAILDROP_PASSWORD="").password.reveal() == WORD


def test_the_environment_gives_a_password_as_it_stands(path):
    path.write_text("MAILDROP_HOME=/srv\nMAILDROP_LOGIN=me\n")
    configuration = load(path, {"MAILDROP_PASSWORD": "$x 'y' # z"})
    assert configuration.password.reveal() == "$x 'y' # z"
    assert configuration.warnings == ()
