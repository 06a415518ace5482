"""What `check` says of relay, TLS and login."""

from __future__ import annotations

import re
import threading

import pytest
from engine.cli.checks.findings import failed, fine, texts
from servers.catcher import Catcher
from servers.scripted import Drop, Hang, Scripted
from servers.tokens import TokenServer, login_options, refusal
from waiting import wait_until

from collective.maildrophost.engine.cli.checks import relays


def test_a_closed_port_fails(site):
    text = failed(site, "relay")
    assert text.startswith("127.0.0.1:1: connect: ")
    assert "SMTP_PORT" in text


def test_a_name_that_does_not_resolve_fails(site):
    site.configure(SMTP_HOST="no-such-relay.invalid")
    assert "no-such-relay.invalid" in failed(site, "relay")


def test_a_relay_that_goes_silent_fails_where_it_did_with_what_to_do(
    site, inside, monkeypatch
):
    monkeypatch.setattr(relays, "TIMEOUT_SECONDS", 2.0)
    silent_at = {
        "GREETING": ("relay", "greeting: no answer", "(see SMTP_HOST and SMTP_PORT)"),
        "AUTH": ("login", "auth: no answer", "(see MAILDROP_LOGIN and its password)"),
    }
    for step, (subject, words, advice) in silent_at.items():
        with Scripted({step: Hang()}, login=("me", "right")) as relay:
            login = {"MAILDROP_LOGIN": "me", "MAILDROP_PASSWORD": "right"}
            site.configure(SMTP_PORT=relay.port, **login)
            (text,) = failures(inside, site, subject)
        assert text.startswith(f"127.0.0.1:{relay.port}: {words}")
        assert text.endswith(advice)


def test_a_greeting_that_is_awaited_at_the_port_for_tls_is_explained(
    site, inside, monkeypatch
):
    monkeypatch.setattr(relays, "TIMEOUT_SECONDS", 0.3)
    with Scripted({"GREETING": Hang()}) as relay:
        monkeypatch.setattr(relays, "IMPLICIT_TLS_PORT", relay.port)
        site.configure(SMTP_PORT=relay.port, MAILDROP_TLS=2)
        (text,) = failures(inside, site, "relay")
    assert text.endswith("(see MAILDROP_TLS, which has to be 3 for port 465)")


def test_a_port_that_hangs_up_on_tls_may_be_one_without_it(site, inside):
    with Scripted({"GREETING": Drop()}) as relay:
        site.configure(SMTP_PORT=relay.port, MAILDROP_TLS=3)
        (text,) = failures(inside, site, "relay")
    assert text.endswith("(see SMTP_HOST, SMTP_PORT and MAILDROP_TLS)")


def test_a_name_that_the_relay_does_not_take_fails_with_the_option_for_it(site, inside):
    # As Postfix has it with smtpd_delay_reject = no.
    refused = "504 5.5.2 <[127.0.0.1]>: Helo command rejected"
    with Scripted({"EHLO": refused, "HELO": refused}) as relay:
        site.configure(SMTP_PORT=relay.port)
        (text,) = failures(inside, site, "relay")
    assert text.startswith(f"127.0.0.1:{relay.port}: ehlo: 504 5.5.2")
    assert text.endswith("(see MAILDROP_HELO_NAME, SMTP_HOST and SMTP_PORT)")


def test_a_relay_that_takes_too_long_for_all_fails_with_what_to_do(
    site, inside, monkeypatch
):
    monkeypatch.setattr(relays, "WHOLE_SECONDS", 0.3)
    with Scripted({"GREETING": Hang()}) as relay:
        site.configure(SMTP_PORT=relay.port)
        (text,) = failures(inside, site, "relay")
    assert text.endswith("(see SMTP_HOST and SMTP_PORT)")


def failures(inside, site, subject: str) -> list[str]:
    """As `failed` has them, of a check in this process."""
    found = inside("--config", str(site.path), "check", "--json").json
    return texts(found, subject, "failed")


def test_each_relay_has_its_lines(site):
    with Catcher() as catcher:
        site.configure(SMTP_HOST=f"127.0.0.1:1;127.0.0.1:{catcher.port}")
        assert failed(site, "relay").startswith("127.0.0.1:1: ")
        works = f"127.0.0.1:{catcher.port}"
        assert fine(site, "relay") == [f"{works} would take mail"]
        assert fine(site, "tls") == [f"{works}: not wanted (MAILDROP_TLS=0)"]
        assert fine(site, "login") == [f"{works}: not wanted"]


def test_a_relay_without_starttls_fails_where_it_is_required(site):
    with Catcher() as catcher:
        site.configure(SMTP_PORT=catcher.port, MAILDROP_TLS=2)
        assert "MAILDROP_TLS" in failed(site, "tls")
        assert fine(site, "relay") == [f"127.0.0.1:{catcher.port} answers"]
        assert fine(site, "login") == []


def test_the_check_says_that_mail_goes_in_clear(site):
    with Catcher() as catcher:
        site.configure(SMTP_PORT=catcher.port, MAILDROP_TLS=1)
        (text,) = fine(site, "tls")
    assert "not offered, mail goes in clear" in text


def test_the_check_says_that_a_certificate_is_not_verified(site):
    with Catcher(tls="starttls") as catcher:
        site.configure(SMTP_PORT=catcher.port, MAILDROP_TLS=2, MAILDROP_TLS_VERIFY=0)
        (text,) = fine(site, "tls")
    assert text.endswith(", certificate not verified")


def test_a_certificate_that_nobody_vouches_for_fails(site):
    with Catcher(tls="starttls") as catcher:
        site.configure(SMTP_PORT=catcher.port, MAILDROP_TLS=2)
        text = failed(site, "tls")
        assert "certificate" in text
        assert "MAILDROP_TLS_CA_FILE" in text
        site.configure(
            SMTP_PORT=catcher.port,
            MAILDROP_TLS=2,
            MAILDROP_TLS_CA_FILE=catcher.ca_file,
        )
        (text,) = fine(site, "tls")
        assert re.search(r": TLSv1\.[23], certificate verified$", text)


def test_a_refused_login_fails_without_the_password(site):
    with Catcher(login=("me", "right")) as catcher:
        login = {"MAILDROP_LOGIN": "me", "MAILDROP_PASSWORD": "wrong-one"}
        site.configure(SMTP_PORT=catcher.port, **login)
        text = failed(site, "login")
        assert "auth" in text
        assert "wrong-one" not in text
        assert fine(site, "tls") == []
        login["MAILDROP_PASSWORD"] = "right"
        site.configure(SMTP_PORT=catcher.port, **login)
        assert fine(site, "login")[0].endswith(": accepted as me")


def test_a_login_that_is_refused_behind_tls_leaves_tls_well(site):
    with Catcher(tls="starttls", login=("me", "right")) as catcher:
        site.configure(
            SMTP_PORT=catcher.port,
            MAILDROP_TLS=2,
            MAILDROP_TLS_CA_FILE=catcher.ca_file,
            MAILDROP_LOGIN="me",
            MAILDROP_PASSWORD="wrong-one",
        )
        assert "refused" in failed(site, "login")
        assert fine(site, "tls") == [f"127.0.0.1:{catcher.port} speaks it"]


def with_xoauth2(site, relay, tokens, **options) -> None:
    file = site.home / "client-secret"
    file.write_text("hush-hush-hush")
    file.chmod(0o600)
    site.configure(SMTP_PORT=relay.port, **login_options(tokens, file), **options)


def test_a_login_with_a_token_is_tried(site):
    with TokenServer() as tokens, Scripted(login=lambda *given: True) as relay:
        with_xoauth2(site, relay, tokens)
        assert fine(site, "login")[0].endswith(": accepted as site@example.org")


def test_a_token_that_the_relay_refuses_fails_with_what_to_do(site):
    with TokenServer() as tokens, Scripted(login=lambda *given: False) as relay:
        with_xoauth2(site, relay, tokens)
        text = failed(site, "login")
        assert "auth: login as site@example.org refused: 535" in text
        assert "whether its mailbox lets this client send" in text


def test_a_token_endpoint_that_refuses_fails_with_what_to_do(site):
    with TokenServer(refusal("invalid_client")) as tokens, Scripted() as relay:
        with_xoauth2(site, relay, tokens)
        text = failed(site, "login")
        assert ": token: 127.0.0.1:" in text
        assert ": HTTP 400 invalid_client" in text
        assert "MAILDROP_OAUTH_TOKEN_URL" in text


def test_a_fault_that_names_its_option_names_no_other(site):
    bundle = site.home / "ca.pem"
    bundle.write_text("no certificate\n")
    with TokenServer() as tokens, Scripted() as relay:
        with_xoauth2(site, relay, tokens, MAILDROP_TLS_CA_FILE=bundle)
        text = failed(site, "login")
        assert f": token: MAILDROP_TLS_CA_FILE {bundle}: " in text
        assert "MAILDROP_OAUTH_TOKEN_URL" not in text


def test_a_slow_token_endpoint_is_not_blamed_on_the_relay(site, inside):
    hasty = pytest.MonkeyPatch()
    hasty.setattr(relays, "WHOLE_SECONDS", 0.2)
    with TokenServer() as tokens, Scripted(login=lambda *given: True) as relay:
        with_xoauth2(site, relay, tokens)
        tokens.gate.clear()

        def give_token() -> None:
            # The relay may be slow, too, on a busy machine.
            hasty.undo()
            tokens.gate.set()

        threading.Timer(1.0, give_token).start()
        found = inside("--config", str(site.path), "check", "--json").json
    said = {(each["subject"], each["level"]) for each in found}
    assert {("relay", "ok"), ("login", "ok")} <= said


def test_a_check_that_is_given_up_keeps_what_replaces_a_refresh_token(site):
    """The daemon would be left with one that the provider has forgotten."""
    file = site.home / "refresh-token"
    file.write_text("refresh-1\n")
    answer = 200, {"access_token": "token-1", "refresh_token": "refresh-2"}
    with TokenServer(answer) as tokens, Scripted(login=lambda *given: True) as relay:
        with_xoauth2(site, relay, tokens, MAILDROP_OAUTH_REFRESH_TOKEN_FILE=file)
        tokens.gate.clear()
        with site.background("check") as check:
            wait_until(lambda: tokens.requests, what="the request")
            threading.Timer(0.5, tokens.gate.set).start()
            check.interrupt()
    assert file.read_text() == "refresh-2\n"


def test_a_secret_file_that_is_missing_fails(site):
    with TokenServer() as tokens, Scripted() as relay:
        with_xoauth2(site, relay, tokens)
        (site.home / "client-secret").unlink()
        assert "MAILDROP_OAUTH_CLIENT_SECRET_FILE" in failed(site, "relay")
