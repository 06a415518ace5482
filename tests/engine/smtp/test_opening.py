"""What opening a connection makes of a relay (FAULTS 1 to 6)."""

from __future__ import annotations

import asyncio

import pytest
from servers.certificates import Certificates
from servers.scripted import Drop, Hang, Raw, Scripted

from collective.maildrophost.engine.config import RelayAddress
from collective.maildrophost.engine.smtp import (
    Connection,
    Phase,
    RelayFault,
    Security,
    Timeouts,
)
from collective.maildrophost.engine.smtp.channel import Channel

MAIL = ("a@example.org", ["b@example.org"])


def test_a_refused_connection_is_a_fault_that_names_the_relay(unused_port):
    relay = RelayAddress("127.0.0.1", unused_port)
    with pytest.raises(RelayFault) as raised:
        asyncio.run(Connection.open(relay, Security()))
    assert raised.value.phase is Phase.CONNECT
    assert f"127.0.0.1:{unused_port}" in str(raised.value)
    assert not raised.value.permanent


@pytest.mark.parametrize(
    ("answer", "permanent"),
    [
        ("421 4.3.2 busy", False),
        ("450 later", False),
        ("554 5.7.1 go away", True),
        ("354 what", False),
        (Drop(), False),
        (Drop(b"220 hal"), False),
        (Raw(b"SSH-2.0-OpenSSH\r\n"), False),
        (Raw(b"220 one\r\n220 two\r\n"), False),
        (Raw(b"220-x\r\n" * 5000), False),
    ],
)
def test_any_greeting_but_a_good_one_is_a_fault(fault, answer, permanent):
    with Scripted({"GREETING": answer}) as server:
        raised = fault(server)
        assert raised.permanent == permanent
        assert raised.phase in (Phase.GREETING, Phase.EHLO)
        assert server.received == []


def test_a_silent_relay_is_a_fault_after_its_time(fault):
    with Scripted({"GREETING": Hang()}) as server:
        raised = fault(server, timeouts={"greeting": 0.1})
    assert "within 0.1 seconds" in raised.reason
    assert raised.silent


def test_a_refused_ehlo_falls_back_to_helo(exchange, outcomes):
    with Scripted({"EHLO": "502 what?"}) as server:
        done = exchange(server, MAIL)
        assert outcomes(done.results[0]) == ["sent"]
        assert server.conversations[0].commands[:3] == [
            "EHLO client.test",
            "HELO client.test",
            "MAIL FROM:<a@example.org>",
        ]


@pytest.mark.parametrize("options", [{"tls": 2}, {"login": True}])
def test_helo_is_no_way_around_tls_or_login(fault, login, options):
    if "login" in options:
        options = {"login": login()}
    with Scripted({"EHLO": "502 what?"}, login=("me", "x")) as server:
        assert fault(server, **options).phase is Phase.EHLO
        assert "HELO" not in server.conversations[0].verbs


def test_an_ehlo_that_is_refused_after_starttls_falls_back_to_helo(
    exchange, outcomes, certificates
):
    with Scripted(
        {"EHLO": ["250-x\n250 STARTTLS", "502 what?"]}, certificates=certificates
    ) as server:
        done = exchange(server, MAIL, tls=2, ca_file=certificates.ca_file)
        [talk] = server.conversations
        assert talk.tls
        assert talk.verbs[:4] == ["EHLO", "STARTTLS", "EHLO", "HELO"]
        assert outcomes(done.results[0]) == ["sent"]


@pytest.mark.parametrize("answer", ["421 busy", "450 later", Drop()])
def test_a_deferred_ehlo_is_a_fault(fault, answer):
    with Scripted({"EHLO": answer}) as server:
        assert not fault(server).permanent
        assert "HELO" not in server.conversations[0].verbs


@pytest.mark.parametrize("tls", [1, 2])
def test_starttls_asks_for_the_capabilities_again(exchange, certificates, tls):
    with Scripted(
        {"EHLO": ["250-x\n250-STARTTLS\n250 SIZE 1", "250-x\n250 PIPELINING"]},
        certificates=certificates,
    ) as server:
        done = exchange(server, MAIL, tls=tls, ca_file=certificates.ca_file)
        [talk] = server.conversations
        assert talk.tls
        assert talk.verbs[:3] == ["EHLO", "STARTTLS", "EHLO"]
        assert done.results[0].verdicts[0].outcome == "sent", "SIZE 1 was forgotten"


def test_tls_from_the_first_byte(exchange, certificates):
    with Scripted(certificates=certificates, implicit_tls=True) as server:
        exchange(server, MAIL, tls=3, ca_file=certificates.ca_file)
        assert server.conversations[0].tls
        assert server.conversations[0].verbs[0] == "EHLO"


def test_starttls_required_but_not_offered_is_a_fault_without_plaintext(fault):
    with Scripted() as server:
        raised = fault(server, tls=2)
        assert raised.permanent
        assert "MAILDROP_TLS=2" in raised.reason
        assert "MAIL" not in server.conversations[0].verbs


@pytest.mark.parametrize("tls", [1, 2])
@pytest.mark.parametrize(
    "answer", ["454 4.7.0 no TLS now", "501 syntax", Drop(), Drop(b"220 go\r\n")]
)
def test_starttls_that_fails_never_falls_back_to_plaintext(
    fault, certificates, tls, answer
):
    with Scripted({"STARTTLS": answer}, certificates=certificates) as server:
        raised = fault(server, tls=tls, ca_file=certificates.ca_file)
        assert raised.phase in (Phase.STARTTLS, Phase.HANDSHAKE)
        assert "MAIL" not in server.conversations[0].verbs


@pytest.mark.parametrize(
    "injected", [b"220 go\r\n250 injected\r\n", b"220 go\r\n2", b"220 go\n\n"]
)
def test_plaintext_after_the_220_ends_the_session(fault, certificates, injected):
    with Scripted({"STARTTLS": Raw(injected)}, certificates=certificates) as server:
        raised = fault(server, tls=2, ca_file=certificates.ca_file)
        assert "slipped in" in raised.reason


@pytest.mark.parametrize("tls", [2, 3])
def test_an_unknown_certificate_is_a_fault(fault, certificates, tls):
    with Scripted(certificates=certificates, implicit_tls=tls == 3) as server:
        raised = fault(server, tls=tls)
        assert raised.permanent
        assert raised.phase is Phase.HANDSHAKE
        assert "certificate does not verify" in raised.reason
        assert "MAIL" not in server.conversations[0].verbs


@pytest.mark.parametrize("tls", [2, 3])
def test_a_certificate_for_another_name_is_a_fault(fault, tls):
    with (
        Certificates("elsewhere.example") as certificates,
        Scripted(certificates=certificates, implicit_tls=tls == 3) as server,
    ):
        raised = fault(server, tls=tls, ca_file=certificates.ca_file)
        assert raised.permanent


@pytest.mark.parametrize("options", [{"tls": 1}, {"tls": 2, "verify": False}])
def test_any_certificate_will_do_where_nobody_asked_for_more(
    exchange, certificates, options
):
    with Scripted(certificates=certificates) as server:
        exchange(server, MAIL, **options)
        assert server.conversations[0].tls


def test_a_missing_ca_file_says_so(fault, certificates):
    with Scripted(certificates=certificates) as server:
        raised = fault(server, tls=2, ca_file="/nowhere/ca.pem")
        assert raised.permanent
        assert "MAILDROP_TLS_CA_FILE /nowhere/ca.pem" in raised.reason


def test_a_handshake_that_hangs_is_a_fault(fault, certificates):
    with Scripted(
        {"STARTTLS": Raw(b"220 go\r\n")}, certificates=certificates
    ) as server:
        raised = fault(server, tls=1, timeouts={"handshake": 0.2})
        assert raised.phase is Phase.HANDSHAKE
        assert not raised.permanent
        assert "MAIL" not in server.conversations[0].verbs


def test_plaintext_to_a_tls_port_is_a_fault(fault, certificates):
    with Scripted() as server:
        raised = fault(
            server, tls=3, ca_file=certificates.ca_file, timeouts={"handshake": 5}
        )
        assert raised.phase is Phase.HANDSHAKE


def greeted(server, **options):
    """The first command of a connection that is opened and closed again."""

    async def open_and_quit():
        relay = RelayAddress("127.0.0.1", server.port)
        connection = await Connection.open(relay, Security(), **options)
        await connection.quit()

    asyncio.run(open_and_quit())
    return server.conversations[0].commands[0]


@pytest.mark.parametrize("name", ["", "two words", "a\r\nMAIL FROM:<x>", "müller"])
def test_the_ehlo_name_is_never_more_than_one_word(name):
    with Scripted() as server:
        assert greeted(server, local_name=name) == "EHLO [127.0.0.1]"


def test_ehlo_says_no_zone_of_a_link_local_address(monkeypatch):
    monkeypatch.setattr(Channel, "local", lambda self: "fe80::1%eth0")
    with Scripted() as server:
        assert greeted(server) == "EHLO [IPv6:fe80::1]"


def test_an_error_of_ours_while_connecting_is_no_messages_fault(fault, login, caplog):
    spoilt = login(password="p\udce9ss")
    with Scripted(extensions=("AUTH PLAIN",)) as server:
        raised = fault(server, login=spoilt)
    assert raised.reason == "an unexpected UnicodeEncodeError in the SMTP client"
    assert not raised.permanent
    assert "connecting to 127.0.0.1" in caplog.text
    assert "udce9" not in caplog.text


def test_the_timeouts_are_those_of_rfc_5321():
    timeouts = Timeouts()
    standard = {
        Phase.GREETING: 300,
        Phase.MAIL: 300,
        Phase.RCPT: 300,
        Phase.DATA: 120,
        Phase.CONTENT: 180,
        Phase.END: 600,
    }
    assert {phase: timeouts.seconds(phase) for phase in standard} == standard
    assert all(timeouts.seconds(each) > 0 for each in set(Phase) - {Phase.TOKEN})
