"""Checks the values that a buildout may give to a daemon."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from zc.buildout import UserError

from collective.maildrophost.engine.config import load
from collective.maildrophost.engine.queueurl import parse_queue_url
from collective.recipe.maildrophost.options import BY_NAME
from collective.recipe.maildrophost.values import assignment, checked

HERE = Path("/srv/site")


def value(name: str, text: str) -> str:
    return checked("maildrop", name, BY_NAME[name], text, HERE)


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
        ("spool", "a; /b\nc", "/srv/site/a;/b;/srv/site/c"),
        ("smtp-host", "one.example.org\ntwo.example.org:26", None),
        ("smtp-host", "[2001:db8::1]:25;2001:db8::2;localhost", None),
        ("auth", "XOAUTH2", "xoauth2"),
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


@pytest.mark.parametrize(
    ("name", "text", "expected"),
    [
        ("smtp-port", "smtp", "a whole number from 1 to 65535"),
        ("smtp-port", "0", "a whole number from 1 to 65535"),
        ("tls", "4", "a whole number from 0 to 3"),
        ("batch", "-1", "a whole number of at least 0"),
        ("bounce", "2", "0 or 1"),
        ("retry-min", "0", "a number of seconds above 0"),
        ("interval", "10s", "a number of seconds above 0"),
        ("auth", "cram", "one of nothing, plain, login, xoauth2"),
        ("login", "two\nlines", "one line"),
        ("spool", ";", "one or several paths"),
        ("smtp-host", "relay:smtp", "host or host:port"),
        ("smtp-host", "relay:65536", "host or host:port"),
        ("smtp-host", "two relays", "host or host:port"),
        ("smtp-host", "# none", "host or host:port"),
        ("queue", "sqlite:///var/q.db", "sqlite:///ABSOLUTE/PATH, without"),
        ("queue", "redis://x", "sqlite:///ABSOLUTE/PATH, without"),
        ("queue", "sqlite:////srv/q?x=1", "sqlite:///ABSOLUTE/PATH, without"),
        ("queue", "sqlite:////srv/%41/q", "sqlite:///ABSOLUTE/PATH, without"),
        ("queue", "sqlite:////srv/", "sqlite:///ABSOLUTE/PATH, without"),
        ("queue", "postgresql+psycopg://", "sqlite:///ABSOLUTE/PATH, without"),
        ("queue", "postgresql+psycopg://a:b@c@d/e", "sqlite:///ABSOLUTE/PATH, without"),
        ("retry-max", "31536001", "a number of seconds above 0, at most 31536000"),
    ],
)
def test_a_wrong_value_is_refused_with_what_was_expected(name, text, expected):
    with pytest.raises(UserError) as refusal:
        value(name, text)
    assert str(refusal.value).startswith(f"[maildrop] {name}: expected {expected}")


def accepts(check, text: str) -> bool:
    try:
        check(text)
    except (ValueError, UserError):
        return False
    return True


@pytest.mark.parametrize("scheme", ["sqlite:///", "postgresql+psycopg://", "mysql://"])
@pytest.mark.parametrize(
    "rest",
    [
        *("", "/", "/srv/q", "/srv/q/", "srv/q", "/srv/q?x=1", "/srv/%41", "/srv/%zz"),
        *(
            "db",
            "me@db/mail",
            "me:pw@db:5432/mail",
            "me:p@w@db",
            "me:pw",
            "me:p/w@db/m",
        ),
        *("[::1]:5432/mail", "me@[::1]/mail?sslmode=require", "[::1/mail", "db:port/m"),
        *("@/mail?host=one:1&host=two:2", "db?password=p@w", "me:p%40w@db/mail?x=y"),
    ],
)
def test_the_buildout_takes_the_queues_that_the_daemon_takes(scheme, rest):
    url = scheme + rest
    of_the_recipe = accepts(lambda text: value("queue", text), url)
    assert of_the_recipe == accepts(parse_queue_url, url)


def test_a_wrong_password_is_not_repeated():
    with pytest.raises(UserError) as refusal:
        value("password", "can\nary")
    assert "ary" not in str(refusal.value)


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
