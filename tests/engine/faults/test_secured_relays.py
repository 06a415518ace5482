"""Rows 4 to 6: no TLS, no login: the relay is left alone, and no mail is to blame."""

from __future__ import annotations

import pytest
from engine.faults.telling import assert_relay_fault, told
from servers.certificates import Certificates
from servers.scripted import Drop, Hang, Raw, Scripted
from waiting import wait_until

row = pytest.mark.row
LOGIN = {"MAILDROP_LOGIN": "me", "MAILDROP_PASSWORD": "sesame-7"}
SENT = [("b", "sent", "250 2.0.0 Ok: queued")]
STARTTLS = {
    "454 4.7.0 not now": ("454 4.7.0 not now", False),
    "503 5.5.1 no": ("503 5.5.1 no", True),
    "a drop": (Drop(b"220 go\r\n"), False),
    "no TLS after the 220": (Raw(b"220 go\r\n"), False),
    "injected plaintext": (Raw(b"220 go\r\n250 welcome\r\n"), True),
}


@row(4)
@pytest.mark.parametrize("kind", STARTTLS)
def test_a_starttls_that_fails_is_the_relays_fault_and_never_plaintext(
    site, certificates, kind
):
    answer, permanent = STARTTLS[kind]
    with Scripted({"STARTTLS": answer}, certificates=certificates) as relay:
        site.configure(
            SMTP_PORT=relay.port,
            MAILDROP_TLS=2,
            MAILDROP_TLS_CA_FILE=certificates.ca_file,
            **LOGIN,
        )
        (id,) = site.send()
        assert site.once() == 1
        words = answer if isinstance(answer, str) else ": "
        assert_relay_fault(site, words, id, error=permanent)
        (talk,) = relay.conversations
        assert talk.verbs[:2] == ["EHLO", "STARTTLS"]
        assert not {"AUTH", "MAIL"} & set(talk.verbs)


@row(4)
def test_a_relay_without_starttls_is_at_fault_where_tls_is_required(site):
    with Scripted() as relay:
        site.configure(SMTP_PORT=relay.port, MAILDROP_TLS=2, **LOGIN)
        (id,) = site.send()
        assert site.once() == 1
        assert_relay_fault(site, "does not offer STARTTLS", id, error=True)
        assert relay.commands == [relay.commands[0]]


@row(4)
@pytest.mark.parametrize("tls", [2, 3])
@pytest.mark.parametrize("flaw", ["unknown authority", "another name"])
def test_a_certificate_that_does_not_verify_is_the_relays_fault(
    site, certificates, tls, flaw
):
    with (
        Certificates("elsewhere.example.org") as others,
        Scripted(certificates=others, implicit_tls=tls == 3) as relay,
    ):
        trusted = others if flaw == "another name" else certificates
        site.configure(
            SMTP_PORT=relay.port,
            MAILDROP_TLS=tls,
            MAILDROP_TLS_CA_FILE=trusted.ca_file,
            **LOGIN,
        )
        (id,) = site.send()
        assert site.once() == 1
        assert_relay_fault(site, "certificate does not verify", id, error=True)
        assert not {"AUTH", "MAIL"} & set(relay.conversations[0].verbs)


@row(5)
@pytest.mark.parametrize("answer", ["454 4.7.0 not now", Drop(), Hang()])
def test_a_login_that_does_not_work_now_is_the_relays_fault(site, impatient, answer):
    if isinstance(answer, Hang):
        impatient({"auth": 0.3})
    with Scripted({"AUTH": [answer, "235 ok"]}, login=("me", "sesame-7")) as relay:
        site.configure(SMTP_PORT=relay.port, **LOGIN)
        (id,) = site.send()
        assert site.once() == 1
        words = answer if isinstance(answer, str) else "auth: "
        assert_relay_fault(site, words, id)
        assert "MAIL" not in relay.conversations[0].verbs
        impatient()
        assert site.once() == 0
    assert told(site, id) == SENT
    assert site.pauses == []


REFUSED_LOGINS = {
    "535": ({"AUTH": "535 5.7.8 wrong password"}, ("AUTH PLAIN",), "535 5.7.8 wrong"),
    "not offered": ({}, (), "none offered"),
    "none in common": ({}, ("AUTH CRAM-MD5",), "cram-md5 offered"),
}


@row(6)
@pytest.mark.parametrize("kind", REFUSED_LOGINS)
def test_a_login_that_is_refused_bounces_nothing_and_is_an_error_once(site, kind):
    answers, offered, words = REFUSED_LOGINS[kind]
    with Scripted(answers, extensions=offered) as relay:
        site.configure(SMTP_PORT=relay.port, **LOGIN)
        ids = site.send() + site.send()
        with site.daemon():
            wait_until(lambda: site.pauses and site.pauses[0].failures >= 2)
        # The next daemon knows that this is no news.
        assert site.once() == 1
        assert_relay_fault(site, words, *ids, error=True)
        assert "MAIL" not in relay.conversations[0].verbs
    assert "sesame-7" not in site.log + str(site.pauses)


@row(6)
def test_the_next_host_has_the_mail_when_the_first_refuses_the_login(site):
    login = ("me", "sesame-7")
    refusing = Scripted({"AUTH": "535 5.7.8 expired"}, login=login)
    with refusing as first, Scripted(login=login) as second:
        hosts = f"127.0.0.1:{first.port};127.0.0.1:{second.port}"
        site.configure(SMTP_HOST=hosts, **LOGIN)
        (id,) = site.send()
        assert site.once() == 0
        assert len(second.accepted) == 1
    assert told(site, id) == SENT
    assert site.pauses == []
    assert "535 5.7.8 expired" in site.log_lines(" ERROR ")[0]
