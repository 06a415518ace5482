"""The values of a buildout as the daemon gets them."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from zc.buildout import UserError

from collective.maildrophost.engine.config import load
from collective.maildrophost.engine.config.validation import fault
from collective.recipe.maildrophost.options import BY_NAME
from collective.recipe.maildrophost.values import assignment, in_words_of_the_daemon

HERE = Path("/srv/site")


def value(name: str, text: str) -> str:
    return in_words_of_the_daemon("maildrop", name, BY_NAME[name], text, HERE)


def refusal(name: str, text: str) -> str | None:
    """What the daemon says to a value, None: it takes it."""
    options = {"home": "/srv/mail", "login": "me", name: text}
    lines = [assignment(BY_NAME[each], value(each, options[each])) for each in options]
    error = fault("\n".join(lines))
    if error is None:
        return None
    assert error.option == BY_NAME[name].variable
    return error.expected


@pytest.mark.parametrize(
    ("name", "text", "expected"),
    [
        ("smtp-port", " 587 ", "587"),
        ("tls", "3", "3"),
        ("bounce", "false", "0"),
        ("bounce", "on", "1"),
        ("retry-min", "0.5", "0.5"),
        ("home", "var/mail", "/srv/site/var/mail"),
        ("home", "/srv/mail", "/srv/mail"),
        ("home", "./~", "/srv/site/~"),
        ("spool", "a; /b\nc", "/srv/site/a;/b;/srv/site/c"),
        ("smtp-host", "one.example.org\ntwo.example.org:26", None),
        ("smtp-host", "[2001:db8::1]:25;2001:db8::2;localhost", None),
        ("auth", "PLAIN", None),
        ("login", "a person", "a person"),
        ("login", "a#person", "a#person"),
        (
            "smtp-host",
            "relay.example.org  # shared by every daemon",
            "relay.example.org",
        ),
        ("spool", "/a # one\n# another\n/b", "/a;/b"),
        ("password", "a # b", "a # b"),
        ("queue", "sqlite:////srv/q.db", None),
        ("queue", "sqlite:////srv/100% news/q.db", None),
        ("queue", "postgresql+psycopg://me@db/mail", None),
        ("retry-max", "31536000", None),
    ],
)
def test_a_right_value_is_taken(name, text, expected):
    assert value(name, text) == (expected or text.replace("\n", ";"))
    assert refusal(name, text) is None


@pytest.mark.parametrize(
    ("name", "text", "expected"),
    [
        ("smtp-port", "smtp", "a whole number from 1 to 65535"),
        ("smtp-port", "2 5", "a whole number from 1 to 65535"),
        ("tls", "True", "a whole number from 0 to 3"),
        ("bounce", "2", "0 or 1"),
        ("bounce", "None", "0 or 1"),
        ("interval", "10s", "a number of seconds above 0"),
        ("interval", "1.2.3", "a number of seconds above 0"),
        ("auth", "cram", 'one of "", plain, login, xoauth2'),
        ("spool", ";", "at least one absolute path"),
        ("smtp-host", ";", "at least one relay"),
        ("smtp-host", "two relays", "a host, host:port"),
        ("queue", "sqlite:///var/q.db", "sqlite:////PATH"),
        ("queue", "postgresql+psycopg://a:b@c@d/e", "sqlite:////PATH"),
    ],
)
def test_a_wrong_value_is_refused_by_the_daemon(name, text, expected):
    assert refusal(name, text).startswith(f"expected {expected}")


@pytest.mark.parametrize(
    ("name", "text", "expected"),
    [
        ("login", "two\nlines", "one line"),
        ("queue", "two\nlines", "one line"),
        ("home", "two\nlines", "one line"),
        ("bounce", "two\nlines", "one line"),
        ("spool", "nul\0", "one line"),
        ("password", "two\rlines", "one line"),
        ("user", "no-such-user", "the name of a user of this machine"),
    ],
)
def test_a_value_that_cannot_be_written_is_refused_with_what_was_expected(
    name, text, expected
):
    with pytest.raises(UserError) as error:
        value(name, text)
    assert str(error.value) == f"[maildrop] {name}: expected {expected}."


@pytest.mark.parametrize("name", ["home", "spool", "password-file", "tls-ca-file"])
@pytest.mark.parametrize("path", ["~/mail", "$HOME/mail", "$MAILDROP_HOME/mail"])
def test_a_home_directory_is_to_be_written_out(name, path):
    with pytest.raises(UserError, match="written out, such as /home/zope/mail"):
        value(name, path)


@pytest.mark.parametrize(
    ("name", "text"), [("password", "can\nary"), ("password-file", "$canary")]
)
def test_a_wrong_password_is_not_repeated(name, text):
    with pytest.raises(UserError) as error:
        value(name, text)
    assert "ary" not in str(error.value)


@pytest.mark.parametrize(
    ("name", "text", "line"),
    [
        ("smtp-host", "relay.example.org", 'SMTP_HOST="relay.example.org"'),
        ("smtp-host", "127.0.0.1", 'SMTP_HOST="127.0.0.1"'),
        ("smtp-port", "25", "SMTP_PORT=25"),
        ("wait-interval", "0.5", "WAIT_INTERVAL=0.5"),
        ("password", "12345", 'MAILDROP_PASSWORD="12345"'),
        ("password", "$HOME", "MAILDROP_PASSWORD='$HOME'"),
    ],
)
def test_numbers_are_bare_and_all_else_is_in_quotes(name, text, line):
    assert assignment(BY_NAME[name], text) == line


@pytest.mark.parametrize(
    "password",
    ["12345", "True", "it's", '"', "a b#c", "$HOME", "`id`", "\\", "ü;&|", "'\\''"],
)
def test_shell_and_daemon_read_the_same_password(tmp_path, password):
    path = tmp_path / "main.conf"
    lines = [
        assignment(BY_NAME["home"], str(tmp_path)),
        assignment(BY_NAME["password"], password),
    ]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    path.chmod(0o600)
    assert load(path, {}).password.reveal() == password
    script = '. "$0"; printf %s "$MAILDROP_PASSWORD"'
    shell = subprocess.run(["/bin/sh", "-c", script, path], capture_output=True)
    assert shell.stdout.decode() == password
