"""Logging in, and what a password may never be found in (FAULTS 5, 6)."""

from __future__ import annotations

import base64
import logging
import traceback

import pytest
from servers.scripted import Drop, Scripted

from collective.maildrophost.engine.smtp import Phase, connection
from collective.maildrophost.engine.smtp.sasl import LoginMechanism, choose
from collective.maildrophost.engine.smtp.steps import Send

MAIL = ("a@example.org", ["b@example.org"])
GOOD = ("me", "pa55:wörd")


@pytest.mark.parametrize(
    ("offered", "wanted"),
    [
        ("PLAIN LOGIN", ""),
        ("LOGIN", ""),
        ("LOGIN PLAIN", "login"),
        ("CRAM-MD5 plain", "plain"),
    ],
)
def test_a_login_reaches_the_relay(exchange, login, offered, wanted):
    ehlo = f"250-x\n250 AUTH {offered}"
    with Scripted({"EHLO": ehlo}, login=GOOD) as server:
        exchange(server, MAIL, login=login(mechanism=wanted))
        [talk] = server.conversations
        assert talk.login == GOOD
        assert talk.verbs[:3] == ["EHLO", "AUTH", "MAIL"]


def test_the_old_way_to_offer_auth_is_understood(exchange, login):
    with Scripted({"EHLO": "250-x\n250 AUTH=LOGIN PLAIN"}, login=GOOD) as server:
        exchange(server, MAIL, login=login())
        assert server.conversations[0].login == GOOD


@pytest.mark.parametrize(
    ("answer", "permanent"),
    [
        ("535 5.7.8 wrong", True),
        ("534 5.7.9 too weak", True),
        ("454 4.7.0 later", False),
        ("421 busy", False),
        (Drop(), False),
    ],
)
def test_a_refused_login_is_the_relays_fault(fault, login, answer, permanent):
    with Scripted({"AUTH": answer}, login=GOOD) as server:
        raised = fault(server, login=login())
        assert raised.phase is Phase.AUTH
        assert raised.permanent == permanent


@pytest.mark.parametrize(
    ("ehlo", "mechanism"),
    [
        ("250 x", ""),
        ("250-x\n250 AUTH CRAM-MD5 GSSAPI", ""),
        ("250-x\n250 AUTH PLAIN", "login"),
        ("250-x\n250 AUTH PLAIN LOGIN", "xoauth2"),
        ("250-x\n250 AUTH XOAUTH2", ""),
    ],
)
def test_no_common_mechanism_is_a_fault_for_a_person(fault, login, ehlo, mechanism):
    with Scripted({"EHLO": ehlo}) as server:
        raised = fault(server, login=login(mechanism=mechanism))
        assert raised.permanent
        assert "no common login mechanism" in raised.reason


def test_a_login_offered_only_after_starttls_is_reported_with_its_option(fault, login):
    with Scripted({"EHLO": "250-x\n250-PIPELINING\n250 STARTTLS"}) as server:
        raised = fault(server, login=login())
        assert raised.permanent
        assert "MAILDROP_TLS=2" in raised.reason


def elsewhere(monkeypatch):
    monkeypatch.setattr(
        "collective.maildrophost.engine.smtp.connection._is_loopback",
        lambda peer: False,
    )


def test_a_login_never_travels_in_clear_to_another_machine(fault, login, monkeypatch):
    elsewhere(monkeypatch)
    with Scripted(login=GOOD) as server:
        raised = fault(server, login=login())
        assert raised.permanent
        assert "MAILDROP_ALLOW_CLEARTEXT_LOGIN" in raised.reason
        assert "AUTH" not in server.conversations[0].verbs


def test_a_login_may_travel_in_clear_where_that_is_allowed(
    exchange, login, monkeypatch
):
    elsewhere(monkeypatch)
    with Scripted(login=GOOD) as server:
        exchange(server, MAIL, login=login(allow_cleartext=True))
        assert server.conversations[0].login == GOOD


def test_opportunistic_tls_verifies_before_it_hands_out_a_password(
    exchange, fault, login, certificates, monkeypatch
):
    elsewhere(monkeypatch)
    with Scripted(login=GOOD, certificates=certificates) as server:
        assert fault(server, tls=1, login=login()).phase is Phase.HANDSHAKE
        exchange(server, MAIL, tls=1, login=login(), ca_file=certificates.ca_file)
        assert server.conversations[1].login == GOOD


def test_a_login_may_travel_in_tls_that_begins_at_once(
    exchange, login, certificates, monkeypatch
):
    elsewhere(monkeypatch)
    with Scripted(login=GOOD, certificates=certificates, implicit_tls=True) as server:
        exchange(server, MAIL, tls=3, login=login(), ca_file=certificates.ca_file)
        assert server.conversations[0].login == GOOD


def test_opportunistic_tls_need_not_verify_where_the_password_may_go_in_clear(
    exchange, login, certificates, monkeypatch
):
    with Scripted(login=GOOD, certificates=certificates) as server:
        exchange(server, MAIL, tls=1, login=login())
        elsewhere(monkeypatch)
        exchange(server, MAIL, tls=1, login=login(allow_cleartext=True))
        assert [talk.login for talk in server.conversations] == [GOOD, GOOD]


@pytest.mark.parametrize("peer", ["127.0.0.1", "127.3.2.1", "::1", "::ffff:127.0.0.1"])
def test_loopback_is_known(peer):
    _is_loopback = connection._is_loopback
    assert _is_loopback(peer)
    assert not _is_loopback("192.0.2.1")
    assert not _is_loopback("fe80::1%eth0")
    assert not _is_loopback("")


SECRETS = ("pa55:wörd", base64.b64encode("pa55:wörd".encode()).decode())


BLOBS = {
    "plain": "\0me\0pa55:wörd",
    "login": "pa55:wörd",
    "xoauth2": "user=me\1auth=Bearer pa55:wörd\1\1",
}


@pytest.mark.parametrize("mechanism", BLOBS)
@pytest.mark.parametrize("answer", ["535 5.7.8 no: {}", Drop(), "334 {}"])
def test_a_password_is_in_no_text(fault, login, caplog, mechanism, answer):
    caplog.set_level(logging.DEBUG)
    blob = base64.b64encode(BLOBS[mechanism].encode()).decode()
    if isinstance(answer, str):
        answer = answer.format(" ".join((*SECRETS, blob)))
    with Scripted({"AUTH": answer}, login=GOOD) as server:
        raised = fault(server, login=login(mechanism=mechanism), timeouts={"auth": 0.3})
    shown = "".join(
        [*traceback.format_exception(raised), repr(raised), repr(vars(raised))]
    )
    for secret in (*SECRETS, blob):
        assert secret not in shown + caplog.text
    assert "pa55" not in repr(login())
    assert "pa55" not in repr(Send(b"pa55", Phase.AUTH))


def test_a_short_password_is_hidden_in_its_encoded_form(fault, login):
    blob = base64.b64encode(b"\0me\0abc").decode()
    with Scripted({"AUTH": f"535 5.7.8 no: {blob}"}, login=GOOD) as server:
        raised = fault(server, login=login(password="abc", mechanism="plain"))
    assert blob not in raised.reason


def test_a_relay_that_asks_for_more_than_a_password_is_told_nothing(login):
    mechanism = LoginMechanism(login(password="x"))
    assert [mechanism.respond(b"") for _ in range(3)] == [b"me", b"x", b""]


def test_a_token_reaches_the_relay(exchange, login):
    with Scripted(login=lambda *given: given == ("me", "a-token")) as server:
        exchange(server, MAIL, login=login(password="a-token", mechanism="xoauth2"))
        [talk] = server.conversations
        assert talk.verbs[:3] == ["EHLO", "AUTH", "MAIL"]


def test_the_reason_for_a_refused_token_is_answered_until_the_relay_ends_it(
    fault, login
):
    with Scripted(login=lambda *given: False) as server:
        raised = fault(server, login=login(mechanism="xoauth2"))
        assert raised.permanent
        assert raised.code == 535
        assert raised.reason == "login as me refused: 535 5.7.8 wrong"


def test_a_token_never_travels_in_clear_to_another_machine(fault, login, monkeypatch):
    elsewhere(monkeypatch)
    with Scripted(login=lambda *given: True) as server:
        assert "in clear" in fault(server, login=login(mechanism="xoauth2")).reason
        assert "AUTH" not in server.conversations[0].verbs


def test_a_relay_that_overlooks_the_token_is_given_it_again(login):
    mechanism = choose(login(mechanism="xoauth2"), ("XOAUTH2",))
    assert mechanism.respond(b"") == mechanism.initial()
    assert mechanism.respond(b'{"status":"401"}') == b""


def test_a_long_token_is_hidden_although_the_relay_cuts_it_off(fault, login):
    token = "".join(f"{n:04}" for n in range(600))
    with Scripted({"AUTH": f"535 5.7.8 {token[:1500]}"}, login=GOOD) as server:
        raised = fault(server, login=login(password=token, mechanism="plain"))
    assert raised.reason == "login as me refused: 535 5.7.8 ****"
