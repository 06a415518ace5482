"""The way to a token endpoint: verified, not for ever, never to another place."""

from __future__ import annotations

import gzip
import socket
import threading
import time
import tracemalloc
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest
from engine.tokens.fetching import SECRET, fault, fetch
from servers.certificates import Certificates
from servers.tokens import TokenServer


@pytest.mark.parametrize("status", [302, 307, 308])
def test_a_secret_follows_no_redirect(configure, status):
    with TokenServer() as elsewhere, TokenServer((status, elsewhere.url)) as server:
        raised = fault(configure(server.url, SECRET))
        assert elsewhere.requests == []
    assert raised.permanent
    assert "MAILDROP_OAUTH_TOKEN_URL" in raised.reason


def test_a_closed_port_is_an_outage(configure, unused_port):
    raised = fault(configure(f"http://127.0.0.1:{unused_port}/token", SECRET))
    assert not raised.permanent
    assert raised.reason == f"127.0.0.1:{unused_port}: Connection refused"


def test_a_silent_endpoint_is_an_outage(configure, monkeypatch):
    monkeypatch.setattr(
        "collective.maildrophost.engine.tokens.endpoint.SECONDS", (5, 0.1)
    )
    with TokenServer() as server:
        server.gate.clear()
        raised = fault(configure(server.url, SECRET))
    assert not raised.permanent
    assert "no answer in time" in raised.reason


def test_an_endpoint_that_hangs_up_is_an_outage(configure):
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def hang_up() -> None:
            accepted, _ = listening.accept()
            accepted.recv(1)
            accepted.shutdown(socket.SHUT_WR)

        threading.Thread(target=hang_up, daemon=True).start()
        port = listening.getsockname()[1]
        raised = fault(configure(f"http://127.0.0.1:{port}/token", SECRET))
    assert not raised.permanent
    assert raised.reason == f"127.0.0.1:{port}: RemoteDisconnected"


def test_the_endpoint_is_verified_whatever_goes_for_the_relay(configure):
    with Certificates() as certificates, TokenServer(certificates=certificates) as own:
        raised = fault(configure(own.url, SECRET, MAILDROP_TLS_VERIFY=0))
        assert raised.permanent
        assert "certificate does not verify" in raised.reason
        assert own.requests == []
        trusting = configure(own.url, SECRET, MAILDROP_TLS_CA_FILE=certificates.ca_file)
        assert fetch(trusting) == own.given


@pytest.mark.parametrize("spoil", [Path.unlink, lambda file: file.write_text("no PEM")])
def test_an_authority_that_cannot_be_read_is_no_outage_of_the_endpoint(
    configure, tmp_path, spoil
):
    """It is the option's fault, as it is with a relay: no waiting will mend it."""
    with Certificates() as certificates, TokenServer(certificates=certificates) as own:
        authority = tmp_path / "ca.pem"
        authority.write_bytes(Path(certificates.ca_file).read_bytes())
        configuration = configure(own.url, SECRET, MAILDROP_TLS_CA_FILE=authority)
        spoil(authority)
        raised = fault(configuration)
        assert own.requests == []
    assert raised.permanent
    assert raised.reason.startswith(f"MAILDROP_TLS_CA_FILE {authority}: ")
    assert "127.0.0.1" not in raised.reason


@contextmanager
def dripping(context, beginning: bytes):
    """The address of an endpoint that goes on and on, byte by byte, for 20 seconds."""
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def drip() -> None:
            accepted, _ = listening.accept()
            with (
                suppress(OSError),
                context.wrap_socket(accepted, server_side=True) as to,
            ):
                to.recv(4096)
                to.sendall(beginning)
                for _ in range(2000):
                    to.sendall(b"x")
                    time.sleep(0.01)

        threading.Thread(target=drip, daemon=True).start()
        yield f"https://127.0.0.1:{listening.getsockname()[1]}/token"


@pytest.mark.parametrize(
    "beginning",
    [
        pytest.param(b"HTTP/1.1 200 OK\r\nContent-Length: 99999\r\n\r\n", id="body"),
        pytest.param(b"HTTP/1.1 200 OK\r\nServer: ", id="header"),
    ],
)
def test_an_answer_that_comes_byte_by_byte_is_given_up(
    configure, monkeypatch, beginning
):
    monkeypatch.setattr(
        "collective.maildrophost.engine.tokens.endpoint.WHOLE_SECONDS", 0.5
    )
    with (
        Certificates() as certificates,
        dripping(certificates.server_context, beginning) as url,
    ):
        raised = fault(
            configure(url, SECRET, MAILDROP_TLS_CA_FILE=certificates.ca_file)
        )
    assert not raised.permanent
    assert raised.reason.endswith("no answer in time")


def test_a_server_on_this_machine_is_not_asked_through_a_proxy(configure, monkeypatch):
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    with TokenServer() as server:
        assert fetch(configure(server.url, SECRET)) == server.given


@pytest.mark.parametrize("pack", [bytes.decode, gzip.compress])
def test_an_endless_answer_fills_no_memory(configure, pack):
    answer = pack(b" " * 20_000_000)
    with TokenServer((200, answer)) as server:
        configuration = configure(server.url, SECRET)
        fault(configuration)  # loads all that is needed
        tracemalloc.start()
        try:
            raised = fault(configuration)
            _, peak = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
    assert raised.permanent
    assert peak < 30_000_000  # the server has it once, in this process


def test_an_answer_that_is_packed_all_the_same_is_understood(configure):
    """A server need not heed what it is asked for (RFC 9110 section 12.5.3)."""
    answer = b'{"access_token": "packed", "token_type": "Bearer"}'
    with TokenServer((200, gzip.compress(answer))) as server:
        assert fetch(configure(server.url, SECRET)) == ["packed"]
