"""The second connection to a relay saves half of its TLS handshake."""

from __future__ import annotations

import ssl

import pytest
from servers.certificates import Certificates
from servers.scripted import Raw, Scripted

from collective.maildrophost.engine.config import RelayAddress
from collective.maildrophost.engine.smtp import Phase
from collective.maildrophost.engine.smtp.tls import client_context

MAIL = ("a@example.org", ["b@example.org"])


@pytest.fixture
def own():
    """Certificates of one test, whose server counts what it resumes."""
    with Certificates() as certificates:
        yield certificates


def resumed(certificates) -> int:
    return certificates.server_context.session_stats()["hits"]


@pytest.mark.parametrize("version", ["TLSv1_2", "TLSv1_3"])
@pytest.mark.parametrize("tls", [1, 2, 3])
def test_the_second_connection_resumes_the_session(exchange, own, tls, version):
    own.server_context.maximum_version = ssl.TLSVersion[version]
    with Scripted(certificates=own, implicit_tls=tls == 3) as server:
        for before in range(3):
            assert resumed(own) == before - 1 if before else resumed(own) == 0
            exchange(server, MAIL, tls=tls, ca_file=own.ca_file)
    assert resumed(own) == 2
    assert all(talk.tls for talk in server.conversations)


def test_another_relay_is_never_offered_a_session(exchange, own):
    with Scripted(certificates=own) as one, Scripted(certificates=own) as other:
        exchange(one, MAIL, tls=2, ca_file=own.ca_file)
        exchange(other, MAIL, tls=2, ca_file=own.ca_file)
        assert resumed(own) == 0


def test_what_was_not_verified_is_never_resumed_where_it_must_be(exchange, fault, own):
    with Scripted(certificates=own) as server:
        exchange(server, MAIL, tls=2, verify=False)
        assert fault(server, tls=2).phase is Phase.HANDSHAKE
        assert resumed(own) == 0


def test_a_name_that_does_not_match_is_refused_after_one_that_did(exchange, fault):
    with Certificates("127.0.0.1") as numbers, Scripted(certificates=numbers) as server:
        exchange(server, MAIL, tls=2, ca_file=numbers.ca_file)
        raised = fault(server, tls=2, ca_file=numbers.ca_file, host="localhost")
        assert "certificate does not verify" in raised.reason


def test_with_a_relay_that_forgot_the_session_a_new_one_is_made(exchange, own):
    with Scripted(certificates=own) as server:
        exchange(server, MAIL, tls=2, verify=False)
        with Certificates() as renewed:
            # As after a restart of the relay: other keys for its tickets.
            server.certificates = renewed
            exchange(server, MAIL, tls=2, verify=False)
        assert renewed.server_context.session_stats()["accept_good"] == 1
        assert resumed(renewed) == 0
        assert len(server.accepted) == 2


def test_after_a_handshake_that_failed_the_next_one_is_whole(exchange, fault, own):
    answers = ["220 go", Raw(b"220 go\r\n"), "220 go"]
    with Scripted({"STARTTLS": answers}, certificates=own) as server:
        exchange(server, MAIL, tls=2, ca_file=own.ca_file)
        fault(server, tls=2, ca_file=own.ca_file, timeouts={"handshake": 0.2})
        exchange(server, MAIL, tls=2, ca_file=own.ca_file)
        assert own.server_context.session_stats()["accept_good"] == 2
        assert resumed(own) == 0


class Resets:
    """Stands for certificates: whoever begins with TLS is cut off."""

    def __init__(self) -> None:
        self.server_context = self

    def wrap_socket(self, connection, **_options):
        connection.recv(1)
        # What was not read makes the end a reset.
        connection.close()
        raise ConnectionResetError


@pytest.mark.parametrize("tls", [2, 3])
def test_after_a_handshake_that_the_relay_reset_the_next_one_is_whole(
    exchange, fault, own, tls
):
    with Scripted(certificates=own, implicit_tls=tls == 3) as server:
        exchange(server, MAIL, tls=tls, ca_file=own.ca_file)
        server.certificates = Resets()
        fault(server, tls=tls, ca_file=own.ca_file)
        server.certificates = own
        exchange(server, MAIL, tls=tls, ca_file=own.ca_file)
        assert own.server_context.session_stats()["accept_good"] == 2
        assert resumed(own) == 0


def test_the_session_is_resumed_after_the_relay_could_not_be_reached(
    exchange, fault, own
):
    with Scripted(certificates=own, implicit_tls=True) as server:
        exchange(server, MAIL, tls=3, ca_file=own.ca_file)
    assert fault(server, tls=3, ca_file=own.ca_file).phase is Phase.CONNECT
    with Scripted(certificates=own, implicit_tls=True, port=server.port) as again:
        exchange(again, MAIL, tls=3, ca_file=own.ca_file)
    assert resumed(own) == 1


def test_the_context_of_a_relay_is_made_once(own):
    relay = RelayAddress("relay.test", 25)
    made = client_context(relay, True, own.ca_file)
    assert client_context(RelayAddress("relay.test", 25), True, own.ca_file) is made
    others = [
        client_context(RelayAddress("relay.test", 26), True, own.ca_file),
        client_context(relay, False, own.ca_file),
        client_context(relay, True, ""),
    ]
    assert len({id(each) for each in (made, *others)}) == 4
