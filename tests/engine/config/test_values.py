"""Promises of single options."""

from __future__ import annotations

from pathlib import Path

import pytest

from collective.maildrophost.engine.config import (
    ConfigurationError,
    RelayAddress,
    load,
)
from collective.maildrophost.engine.config.hostport import HostPort


@pytest.mark.parametrize(
    "line",
    [
        "SMTP_PORT=0",
        "SMTP_PORT=65536",
        "SMTP_PORT=25.0",
        "SMTP_PORT=0x19",
        "SMTP_PORT=1_0",
        "SMTP_PORT=",
        "SMTP_PORT=٢٥",
        "SMTP_PORT=True",
        f"SMTP_PORT={'9' * 5000}",
        "SMTP_HOST=25",
        "SMTP_HOST=True",
        'SMTP_HOST=";"',
        "SMTP_HOST=relay:smtp",
        "SMTP_HOST=-relay-",
        "SMTP_HOST=1.2.3.400",
        'SMTP_HOST="[::1]x"',
        'SMTP_HOST="[::g]"',
        "SMTP_HOST='[::1'",
        "SMTP_HOST='[::1]25'",
        "SMTP_HOST='[relay]:25'",
        "SMTP_HOST=192.0.2.1.",
        "SMTP_HOST=relay:0",
        "SMTP_HOST=relay:65536",
        f"SMTP_HOST={'ü' * 70}.example",
        f"SMTP_HOST={'.'.join(['a' * 60] * 5)}",
        'SMTP_HOST="a b"',
        "MAILDROP_HOME=relative",
        'MAILDROP_SPOOL="/a;b"',
        "MAILDROP_LOG_FILE=~/log",
        "MAILDROP_TLS=-1",
        "MAILDROP_TLS='yes'",
        "MAILDROP_INTERVAL=0",
        "MAILDROP_INTERVAL=nan",
        "MAILDROP_INTERVAL=inf",
        "MAILDROP_INTERVAL='10s'",
        "MAILDROP_CONCURRENCY=0",
        "MAILDROP_BATCH=-1",
        "MAILDROP_RATE=-1",
        "WAIT_INTERVAL=-0.5",
        "MAILDROP_LIFETIME=-1",
        "MAILDROP_HISTORY_DAYS=1.5",
        "DEBUG=2",
        "DEBUG=maybe",
        "MAILDROP_AUTH=cram-md5",
        "MAILDROP_HELO_NAME='a b'",
        "MAILDROP_HELO_NAME=192.0.2.1",
        "MAILDROP_HELO_NAME='[192.0.2.1]'",
        "MAILDROP_HELO_NAME=plone.example.org:25",
        "MAILDROP_HELO_NAME=plone_web.example.org",
        "MAILDROP_POSTMASTER='a b'",
        "DEBUG_RECEIVER='a@b, <'",
        "MAILDROP_METRICS=host",
        "MAILDROP_METRICS=host:0",
        "MAILDROP_OAUTH_TOKEN_URL=http://example.org/token",
        "MAILDROP_OAUTH_TOKEN_URL=https://[/",
        "MAILDROP_QUEUE=mysql://localhost/db",
        "MAILDROP_QUEUE=sqlite:///relative.db",
        "MAILDROP_QUEUE=sqlite://",
        "MAILDROP_QUEUE=sqlite:////srv/",
        "MAILDROP_QUEUE=sqlite:////srv/q?x=1",
        "MAILDROP_QUEUE=sqlite:////srv/%41/q",
        "MAILDROP_RETRY_MIN=0",
        "MAILDROP_RETRY_MAX=1000000000000",
        "MAILDROP_QUEUE=postgresql+psycopg://",
        'MAILDROP_SPOOL=" ; "',
        "MAILDROP_SPOOL='/a\x1bb'",
        "MAILDROP_LOGIN='a\x01b'",
        "MAILDROP_LOGIN=a\\",
        "MAILDROP_LOGIN='a\x7fb'",
        "MAILDROP_OAUTH_TOKEN_URL='https://example.org/\x01'",
    ],
)
def test_a_wrong_value_is_an_error_at_its_line(load_text, line):
    with pytest.raises(ConfigurationError) as error:
        load_text(line + "\n")
    assert error.value.line == 2
    assert error.value.option == line.partition("=")[0]
    assert "expected" in error.value.expected


@pytest.mark.parametrize(
    ("line", "attribute", "value"),
    [
        ("SMTP_PORT='26'", "relays", (RelayAddress("localhost", 26),)),
        ("SMTP_PORT=65535", "relays", (RelayAddress("localhost", 65535),)),
        ('MAILDROP_SPOOL="/a; ;/b;/a"', "spool", (Path("/a"), Path("/b"))),
        (
            'SMTP_HOST="one; two:2525 ;[::1]:26;::1;192.0.2.1"',
            "relays",
            (
                RelayAddress("one", 25),
                RelayAddress("two", 2525),
                RelayAddress("::1", 26),
                RelayAddress("::1", 25),
                RelayAddress("192.0.2.1", 25),
            ),
        ),
        (
            "SMTP_HOST=bücher.example",
            "relays",
            (RelayAddress("xn--bcher-kva.example", 25),),
        ),
        (
            "SMTP_HOST='relay.example.org.;; one:1; two:65535; [::1]'",
            "relays",
            (
                RelayAddress("relay.example.org.", 25),
                RelayAddress("one", 1),
                RelayAddress("two", 65535),
                RelayAddress("::1", 25),
            ),
        ),
        ("SMTP_HOST=''", "relays", (RelayAddress("localhost", 25),)),
        ("MAILDROP_HELO_NAME=bücher.example.", "helo_name", "xn--bcher-kva.example"),
        ("MAILDROP_INTERVAL=.25", "interval", 0.25),
        ("MAILDROP_RETRY_MIN=0.05", "retry_min", 0.05),
        ("DEBUG=True", "debug", True),
        ("DEBUG='false'", "debug", False),
        ("MAILDROP_LOGIN=12345\nMAILDROP_PASSWORD=x", "login", "12345"),
        ("MAILDROP_POSTMASTER=root", "postmaster", "root"),
        *(
            (f"MAILDROP_OAUTH_TOKEN_URL={url}", "oauth_token_url", url)
            for url in ("http://localhost/t", "http://[::1]/t", "http://127.0.0.1:1/t")
        ),
        ("MAILDROP_METRICS=9100", "metrics", HostPort("127.0.0.1", 9100)),
        ("MAILDROP_METRICS=:9100", "metrics", HostPort("127.0.0.1", 9100)),
        ("MAILDROP_METRICS='[::1]:9100'", "metrics", HostPort("::1", 9100)),
        (
            "MAILDROP_QUEUE=postgresql+psycopg:///mail",
            "queue",
            "postgresql+psycopg:///mail",
        ),
        *(
            (
                f"MAILDROP_QUEUE='postgresql+psycopg://{url}'",
                "queue",
                f"postgresql+psycopg://{url}",
            )
            for url in (
                "me@db:5432/mail",
                "me@[::1]:5432/mail?sslmode=require",
                "/mail?host=/run/postgresql&user=me",
                "@/mail?host=one:1&host=two:2",
                "db",
            )
        ),
    ],
)
def test_a_right_value_is_taken(load_text, line, attribute, value):
    configuration = load_text(line + "\n")
    assert getattr(configuration, attribute) == value
    assert configuration.warnings == ()


def test_a_wrong_queue_lists_the_databases_there_are(load_text):
    with pytest.raises(ConfigurationError) as error:
        load_text("MAILDROP_QUEUE=mysql://me:hidden@host/db")
    assert "sqlite:////PATH" in str(error.value)
    assert "postgresql+psycopg://" in str(error.value)
    assert "hidden" not in str(error.value)


@pytest.mark.parametrize(
    "name",
    [
        "MAILDROP_PASSWORD",
        "MAILDROP_LOGIN",
        "MAILDROP_QUEUE",
        "SMTP_HOST",
        "MAILDROP_VAR",
    ],
)
def test_a_variable_that_is_not_utf_8_is_refused(load_text, name):
    octets = b"/p\xe9ss".decode("utf-8", "surrogateescape")
    with pytest.raises(ConfigurationError) as error:
        load_text(**{name: octets})
    assert str(error.value) == f"environment variable {name}: expected UTF-8 text"


def test_a_relay_prints_as_host_with_port():
    assert str(RelayAddress("relay.example.org", 25)) == "relay.example.org:25"
    assert str(RelayAddress("::1", 2525)) == "[::1]:2525"


@pytest.mark.parametrize("name", ["a?1", "per%41cent"])
def test_a_home_that_no_url_can_name_is_refused(tmp_path, name):
    path = tmp_path / "maildrop.conf"
    path.write_text(f"MAILDROP_HOME='{tmp_path}/{name}'\n")
    with pytest.raises(ConfigurationError, match="the path has no") as error:
        load(path, {})
    assert error.value.option == "MAILDROP_QUEUE"
