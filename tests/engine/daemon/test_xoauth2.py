"""The daemon logs in with access tokens; no trouble with them touches a message."""

from __future__ import annotations

import signal
import sys

import pytest
from servers.scripted import Scripted
from servers.tokens import TokenServer, login_options, refusal
from waiting import PATIENCE_SECONDS, wait_until

from collective.maildrophost.engine.queue import State
from collective.maildrophost.engine.tokens.files import REPLACEMENT_SECONDS

SECRET = "sesame-oauth-7"

row = pytest.mark.row


@pytest.fixture
def oauth(site):
    """Configure the site for a relay and a token server."""
    file = site.home / "client-secret"
    file.write_text(SECRET)

    def configure(relay, tokens, **options) -> None:
        login = login_options(tokens, file)
        site.configure(SMTP_PORT=relay.port, **login, **options)

    return configure


def takes(*good: str):
    return lambda user, token: token in good


def test_mail_is_sent_with_a_token(site, oauth):
    with TokenServer() as tokens, Scripted(login=takes("token-1")) as relay:
        oauth(relay, tokens)
        with site.daemon():
            (id,) = site.send()
            site.wait_for(id, State.SENT)
    assert "token-1" not in site.log
    assert SECRET not in site.log


def test_a_token_that_expires_soon_is_renewed_while_mail_goes_on(site, oauth):
    with (
        TokenServer(lifetime=2) as tokens,
        Scripted(login=lambda *given: True) as relay,
    ):
        oauth(relay, tokens, MAILDROP_BATCH=1)
        with site.daemon():

            def another() -> bool:
                (id,) = site.send()
                site.wait_for(id, State.SENT)
                return len({talk.login for talk in relay.conversations}) > 1

            wait_until(another, what="a second token")
    assert site.log_lines(" WARNING ") == []


@row(7)
def test_a_token_endpoint_that_is_down_pauses_the_relay_until_it_is_back(site, oauth):
    answers = [(503, ""), (503, ""), lambda fields: (200, tokens.token(9))]
    with TokenServer(*answers) as tokens, Scripted(login=takes("token-9")) as relay:
        oauth(relay, tokens)
        with site.daemon():
            (id,) = site.send()
            (paused,) = wait_until(lambda: site.pauses, what="the relay's pause")
            assert "token: 127.0.0.1:" in paused.fault
            record = site.wait_for(id, State.SENT)
    assert record.attempts == 1
    assert site.log_lines(" ERROR ") == []


@row(7)
def test_a_refused_client_bounces_nothing_and_is_an_error_once(site, oauth):
    def echo(fields):
        return refusal("invalid_client", f"{fields['client_secret']} is wrong", 401)

    with TokenServer(echo) as tokens, Scripted(login=takes()) as relay:
        oauth(relay, tokens)
        with site.daemon():
            (id,) = site.send()
            wait_until(lambda: site.pauses and site.pauses[0].failures >= 2)
    message = site.message(id)
    assert (message.state, message.attempts) == (State.QUEUED, 0)
    [error] = site.log_lines(" ERROR ")
    assert "invalid_client **** is wrong" in error
    assert SECRET not in site.log + str(site.pauses)


@row(7)
def test_a_refused_token_is_replaced_once_then_the_relay_pauses(site, oauth):
    with TokenServer() as tokens, Scripted(login=takes()) as relay:
        oauth(relay, tokens)
        site.send()
        assert site.once() == 1
        assert [talk.login[1] for talk in relay.conversations] == tokens.given
        assert len(tokens.requests) == 2
    [error] = site.log_lines(" ERROR ")
    assert "login as site@example.org refused: 535" in error


def test_a_login_that_cannot_work_ends_the_start_with_2(site, oauth):
    with TokenServer() as tokens, Scripted() as relay:
        oauth(relay, tokens)
        (site.home / "client-secret").unlink()
        process = site.start()
        _, said = process.communicate(timeout=PATIENCE_SECONDS)
    assert process.returncode == 2
    assert b"MAILDROP_OAUTH_CLIENT_SECRET_FILE: expected a readable file" in said


def test_a_reload_with_a_login_that_cannot_work_changes_nothing(site, oauth):
    with TokenServer() as tokens, Scripted(login=takes("token-1")) as relay:
        oauth(relay, tokens)
        with site.daemon() as daemon:
            missing = site.home / "missing"
            site.configure(MAILDROP_OAUTH_CLIENT_SECRET_FILE=missing)
            daemon.signal(signal.SIGHUP)
            words = "the old configuration stays in force"
            wait_until(lambda: site.log_lines(words), what="the error")
            (id,) = site.send()
            site.wait_for(id, State.SENT)


def rotating(tokens: TokenServer):
    """Takes each refresh token once, and gives out the next one."""

    def answer(fields):
        turn = len(tokens.requests)
        return 200, {**tokens.token(turn), "refresh_token": f"refresh-{turn + 1}"}

    return answer


@pytest.fixture
def refresh_token(site):
    file = site.home / "refresh-token"
    file.write_text("refresh-1\n")
    return file


@pytest.fixture
def stopped_while_it_asks(site, oauth, refresh_token):
    """Stops a daemon that asks for a token, which comes once the log has `words`."""

    def stop(words, **changes):
        with TokenServer() as tokens, Scripted(login=lambda *given: True) as relay:
            tokens.answers.append(rotating(tokens))
            tokens.gate.clear()
            file = refresh_token
            oauth(relay, tokens, MAILDROP_OAUTH_REFRESH_TOKEN_FILE=file, **changes)
            with site.daemon() as daemon:
                site.send()
                wait_until(lambda: tokens.requests, what="the request")
                daemon.signal(signal.SIGTERM)
                wait_until(lambda: words in site.log, what=words)
                tokens.gate.set()
                assert daemon.process.wait(PATIENCE_SECONDS) == 0

    return stop


def test_a_stop_waits_for_what_replaces_a_refresh_token(
    stopped_while_it_asks, refresh_token
):
    """The provider no longer takes the one in the file: the next start would fail."""
    stopped_while_it_asks("stopped", MAILDROP_STOP_TIMEOUT=0.3)
    assert refresh_token.read_text() == "refresh-2\n"


# A daemon whose log has a line when it waits longer than any other for a token.
TELLS = """
import logging, sys
from collective.maildrophost.engine.cli import main
from collective.maildrophost.engine.daemon import process

def wait(seconds=0.0, wait=process.await_replacements):
    if seconds:
        logging.getLogger("maildrop").info("waits for the token")
    wait(seconds)

process.await_replacements = wait
sys.exit(main(sys.argv[1:]))
"""


def test_a_stop_waits_all_its_time_for_a_refresh_token(
    site, stopped_while_it_asks, refresh_token
):
    site.program = (sys.executable, "-c", TELLS)
    stopped_while_it_asks("waits for the token", MAILDROP_STOP_TIMEOUT=3600)
    assert refresh_token.read_text() == "refresh-2\n"


def test_an_endpoint_that_hangs_holds_up_no_stop(site, oauth, refresh_token):
    with TokenServer() as tokens, Scripted(login=lambda *given: True) as relay:
        tokens.gate.clear()
        oauth(
            relay,
            tokens,
            MAILDROP_OAUTH_REFRESH_TOKEN_FILE=refresh_token,
            MAILDROP_STOP_TIMEOUT=0.3,
        )
        with site.daemon() as daemon:
            site.send()
            wait_until(lambda: tokens.requests, what="the request")
            daemon.signal(signal.SIGTERM)
            assert daemon.process.wait(PATIENCE_SECONDS) == 0
            assert not tokens.gate.is_set()
    assert refresh_token.read_text() == "refresh-1\n"
    # Supervisors kill ten seconds after MAILDROP_STOP_TIMEOUT.
    assert REPLACEMENT_SECONDS < 10
