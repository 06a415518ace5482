"""Secrets appear in no output, file, database or process list: all of it is searched.

Every canary is looked for as it is, quoted as in a web address, and in base64, alone or
as a login sends it. The files that a secret is given in are left out.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

import pytest
from canaries import (
    ACCESS_TOKEN,
    CANARIES,
    CLIENT_SECRET,
    PASSWORD,
    REFRESH_TOKEN,
    USER,
    Stage,
    encoded,
    forms,
)
from servers.scripted import Raw, Scripted
from servers.tokens import TokenServer, login_options, refusal


@pytest.fixture
def unsearched(tmp_path, capsys, monkeypatch) -> Stage:
    return Stage(tmp_path, capsys, monkeypatch)


@pytest.fixture
def stage(unsearched) -> Iterator[Stage]:
    """All that it leaves behind is searched at the end."""
    yield unsearched
    if unsearched.started:
        unsearched.ctl("stop")
    assert unsearched.leaks() == []


def oauth(stage: Stage, tokens: TokenServer, **more: object) -> dict[str, object]:
    """The options of a login with tokens."""
    secret = stage.secret("client", CLIENT_SECRET)
    return {**login_options(tokens, secret, USER), **more}


@pytest.mark.parametrize("name", CANARIES)
def test_the_search_finds_what_is_there(unsearched, name):
    secret = CANARIES[name]
    for form in forms(secret):
        file = unsearched.home / "leak"
        file.write_bytes(b"some text " + form + b" more of it")
        assert unsearched.leaks() == [f"{name} in {file}"]
    file.unlink()
    unsearched.said.append(("check", f"no: {encoded(f'user:{secret}')}".encode()))
    assert unsearched.leaks() == [f"{name} in check"]


def test_the_search_sees_the_process_list(unsearched):
    process = subprocess.Popen(
        [sys.executable, "-c", "input(1)", PASSWORD],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    assert process.stdout
    try:
        process.stdout.read(1)  # A command line is there a moment after the process.
        unsearched.look_at_processes(process.pid)
    finally:
        process.communicate(b"\n")
    assert unsearched.leaks() == [f"PASSWORD in cmdline of {process.pid}"]


@pytest.mark.parametrize("in_a_file", [False, True])
def test_a_day_with_a_good_password(stage, in_a_file):
    stage.ctl("init", str(stage.home / "other.conf"))
    password: dict[str, object] = {"MAILDROP_PASSWORD": PASSWORD}
    if in_a_file:
        password = {"MAILDROP_PASSWORD_FILE": stage.secret("password", PASSWORD)}
    with Scripted(login=(USER, PASSWORD)) as relay:
        stage.configure(SMTP_PORT=relay.port, MAILDROP_LOGIN=USER, **password)
        stage.started = True
        assert stage.ctl("start") == 0
        id = stage.send()
        relay.wait_for(1)
        stage.look_at_everything(id)
        stage.look_at_processes(int((stage.home / "var/maildrop.pid").read_text()))
        for command in ("reload", "restart", "stop"):
            assert stage.ctl(command) == 0
        assert relay.conversations[0].login == (USER, PASSWORD)


ECHO = " ".join((PASSWORD, encoded(PASSWORD), encoded(f"\0{USER}\0{PASSWORD}")))


@pytest.mark.parametrize(
    ("mechanism", "answers"),
    [
        ("plain", {"AUTH": f"535 5.7.8 wrong: {ECHO}"}),
        ("login", {"AUTH": f"535 5.7.8 wrong: {ECHO}"}),
        ("plain", {"AUTH": f"334 {encoded(ECHO)}"}),
        ("plain", {"AUTH": Raw(f"AUTH PLAIN {ECHO}\r\n".encode())}),
        ("plain", {"MAIL": f"451 4.3.0 {ECHO}"}),
        ("plain", {"MAIL": f"530 5.7.0 {ECHO}"}),
        ("plain", {"MAIL": Raw(f"{ECHO}\r\n".encode())}),
        ("plain", {"RCPT": f"550 5.1.1 {ECHO}"}),
        ("plain", {"DATA": f"503 5.5.1 {ECHO}"}),
        ("plain", {"END": f"250 2.0.0 queued by {ECHO}"}),
        ("login", {"END": f"554-5.7.1 no\n554-{PASSWORD}\n554 {ECHO}"}),
    ],
)
def test_a_relay_that_repeats_the_password(stage, mechanism, answers):
    with Scripted(answers, login=(USER, PASSWORD)) as relay:
        stage.configure(
            SMTP_PORT=relay.port,
            MAILDROP_LOGIN=USER,
            MAILDROP_PASSWORD=PASSWORD,
            MAILDROP_AUTH=mechanism,
        )
        id = stage.send()
        stage.run("run", "--once", DEBUG="1")
        stage.look_at_everything(id)
        assert (USER, PASSWORD) in [talk.login for talk in relay.conversations]


def test_a_day_with_good_tokens_at_debug_level(stage):
    with (
        TokenServer(prefix=ACCESS_TOKEN) as tokens,
        Scripted(login=lambda *given: True) as relay,
    ):
        stage.configure(SMTP_PORT=relay.port, **oauth(stage, tokens))
        with stage.running(DEBUG="1") as daemon:
            stage.wait_for_log("started")
            id = stage.send()
            relay.wait_for(1)
            stage.look_at_everything(id)
            stage.look_at_processes(daemon.pid)
        assert relay.conversations[0].login == (USER, f"{ACCESS_TOKEN}1")


def test_a_refresh_token_that_is_replaced(stage):
    def replace(fields: dict[str, str]) -> tuple[int, dict[str, Any]]:
        return 200, {**tokens.token(1), "refresh_token": f"{REFRESH_TOKEN}-new"}

    with (
        TokenServer(replace, prefix=ACCESS_TOKEN) as tokens,
        Scripted(login=lambda *given: True) as relay,
    ):
        file = stage.secret("refresh", REFRESH_TOKEN)
        refresh = {"MAILDROP_OAUTH_REFRESH_TOKEN_FILE": file}
        stage.configure(SMTP_PORT=relay.port, **oauth(stage, tokens, **refresh))
        stage.send()
        assert stage.run("run", "--once", DEBUG="1") == 0
        assert file.read_text() == f"{REFRESH_TOKEN}-new\n"


def test_a_relay_that_repeats_the_token(stage):
    spoken = encoded(f"user={USER}\1auth=Bearer {ACCESS_TOKEN}1\1\1")
    answer = f"535 5.7.8 {ACCESS_TOKEN}1 {spoken}"
    with (
        TokenServer(prefix=ACCESS_TOKEN) as tokens,
        Scripted({"AUTH": answer}, login=lambda *given: True) as relay,
    ):
        stage.configure(SMTP_PORT=relay.port, **oauth(stage, tokens))
        id = stage.send()
        assert stage.run("run", "--once", DEBUG="1") == 1
        stage.look_at_everything(id)
        assert relay.conversations[0].login == (USER, f"{ACCESS_TOKEN}1")


@pytest.mark.parametrize("status", [401, 503])
@pytest.mark.parametrize("with_refresh_token", [False, True])
def test_a_token_endpoint_that_repeats_what_it_was_told(
    stage, status, with_refresh_token
):
    def echo(fields: dict[str, str]) -> tuple[int, dict[str, Any]]:
        told = " ".join(fields.values())
        words = f"{told} {quote(told)} {encoded(told)} {encoded(CLIENT_SECRET)}"
        return refusal("invalid_client", words, status)

    more: dict[str, object] = {}
    if with_refresh_token:
        file = stage.secret("refresh", REFRESH_TOKEN)
        more = {"MAILDROP_OAUTH_REFRESH_TOKEN_FILE": file}
    with TokenServer(echo) as tokens, Scripted() as relay:
        stage.configure(SMTP_PORT=relay.port, **oauth(stage, tokens, **more))
        id = stage.send()
        assert stage.run("run", "--once", DEBUG="1") == 1
        stage.look_at_everything(id)
        assert tokens.requests
    assert "invalid_client" in stage.log


CRASH = """
import sys
import collective.maildrophost.engine.{module} as module
from collective.maildrophost.engine.cli import main

def crash(*arguments, **named):
    held = [vars(each) for each in arguments if hasattr(each, "__dict__")]
    raise ZeroDivisionError(repr((arguments, named, held)))

module.{name} = crash
sys.exit(main(sys.argv[1:]))
"""


@pytest.mark.parametrize(
    ("module", "name"),
    [
        ("smtp.connection", "open_session"),
        ("smtp.opening", "choose"),
        ("delivery.worker", "settlement"),
        ("delivery.delivery", "Delivery.run"),
        ("daemon.process", "Service"),
        ("cli.checks.relays", "_reach"),
        ("tokens.endpoint", "_issued"),
        ("tokens.source", "TokenSource._renew"),
        ("tokens.endpoint", "Endpoint._session"),
    ],
)
def test_a_crash_with_a_traceback(stage, module, name):
    with_tokens = module in ("smtp.opening", "tokens.endpoint", "tokens.source")
    login = (lambda *given: True) if with_tokens else (USER, PASSWORD)
    with TokenServer(prefix=ACCESS_TOKEN) as tokens, Scripted(login=login) as relay:
        options: dict[str, object] = {
            "MAILDROP_LOGIN": USER,
            "MAILDROP_PASSWORD": PASSWORD,
        }
        if with_tokens:
            options = oauth(stage, tokens)
        stage.configure(SMTP_PORT=relay.port, **options)
        stage.send()
        command = ("check",) if "checks" in module else ("run", "--once")
        program = CRASH.format(module=module, name=name)
        stage.run(*command, program=program, DEBUG="1")
        assert "ZeroDivisionError" in stage.everything_said


@pytest.mark.parametrize(
    "lines",
    [
        f"MAILDROP_PASSWORD='{PASSWORD}",
        f"MAILDROP_PASSWORD={PASSWORD} {PASSWORD}",
        f"MAILDROP_PASSWORD = '{PASSWORD}'",
        f"MAILDROP_PASSWORDS='{PASSWORD}'",
        f'MAILDROP_PASSWORD="$x{PASSWORD}"',
        f"MAILDROP_PASSWORD='{PASSWORD}'\nSMTP_PORT=x",
        f"MAILDROP_QUEUE='postgresql+psycopg://me:{quote(PASSWORD, safe='')}@h/d'",
        f"MAILDROP_QUEUE='postgres://me:{PASSWORD}@h/d'",
        f"MAILDROP_AUTH=plain\nMAILDROP_PASSWORD='{PASSWORD}'",
        f"MAILDROP_OAUTH_TOKEN_URL='https://me:{quote(PASSWORD, safe='')}@h/token'",
    ],
)
def test_a_configuration_with_an_error(stage, lines):
    stage.configure(lines)
    for command in ("check", "status", "stats", "queue", "stop", "reload"):
        stage.ctl(command)
    stage.ctl("check", "--json")
    stage.ctl("send", "-f", "a@x.org", "b@x.org", stdin=b"Subject: x\n\nx")
    assert any(said for _, said in stage.said)


def test_a_secret_file_with_an_error(stage):
    with TokenServer() as tokens:
        options = oauth(stage, tokens)
        stage.secret("client", f"{CLIENT_SECRET}\n{CLIENT_SECRET}")
        stage.configure(**options)
        assert stage.run("run") == 2
        assert stage.ctl("check") == 1
