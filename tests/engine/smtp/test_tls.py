"""What MAILDROP_TLS 2 and 3 make of a relay whose TLS is not good enough."""

from __future__ import annotations

import socket
import ssl
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest
from servers.certificates import Certificates
from servers.scripted import Scripted

from collective.maildrophost.engine.config import RelayAddress
from collective.maildrophost.engine.smtp import Phase
from collective.maildrophost.engine.smtp.tls import client_context

MAIL = ("a@example.org", ["b@example.org"])


@pytest.mark.parametrize("tls", [2, 3])
def test_an_expired_certificate_is_a_fault_for_a_person(fault, tls):
    yesterday = datetime.now(timezone.utc) - timedelta(days=1)
    with (
        Certificates(not_after=yesterday) as certificates,
        Scripted(certificates=certificates, implicit_tls=tls == 3) as server,
    ):
        raised = fault(server, tls=tls, ca_file=certificates.ca_file)
        assert raised.permanent
        assert "certificate has expired" in raised.reason
        assert "MAIL" not in server.conversations[0].verbs


@pytest.mark.filterwarnings("ignore:ssl.TLSVersion.TLSv1")
@pytest.mark.parametrize("tls", [1, 2, 3])
def test_less_than_tls_1_2_is_refused_even_without_verification(fault, tls):
    with (
        Certificates() as certificates,
        Scripted(certificates=certificates, implicit_tls=tls == 3) as server,
    ):
        context = certificates.server_context
        context.minimum_version = ssl.TLSVersion.TLSv1
        context.maximum_version = ssl.TLSVersion.TLSv1_1
        context.set_ciphers("ALL:@SECLEVEL=0")
        raised = fault(server, tls=tls, verify=False)
        assert raised.phase is Phase.HANDSHAKE
        assert "does not agree to TLS 1.2 or later" in raised.reason
        assert "MAIL" not in server.conversations[0].verbs


# With STARTTLS and TLS 1.3 the EHLO that nobody reads any more may reset the connection
# before its alert is read.
@pytest.mark.parametrize(
    ("tls", "version"), [(2, "TLSv1_2"), (3, "TLSv1_2"), (3, "TLSv1_3")]
)
def test_a_relay_that_wants_a_clients_certificate_is_a_fault_in_words(
    fault, tls, version
):
    with (
        Certificates() as certificates,
        Scripted(certificates=certificates, implicit_tls=tls == 3) as server,
    ):
        context = certificates.server_context
        context.maximum_version = ssl.TLSVersion[version]
        context.load_verify_locations(certificates.ca_file)
        context.verify_mode = ssl.CERT_REQUIRED
        raised = fault(server, tls=tls, ca_file=certificates.ca_file)
        assert "only clients with a certificate" in raised.reason


@pytest.mark.parametrize("verify", [True, False])
def test_every_context_asks_for_tls_1_2_at_least(verify):
    context = client_context(RelayAddress("relay.test", 25), verify, "")
    assert context.minimum_version == ssl.TLSVersion.TLSv1_2


def test_a_context_trusts_what_python_trusts():
    context = client_context(RelayAddress("relay.test", 25), True, "")
    usual = ssl.create_default_context()
    assert context.verify_flags == usual.verify_flags
    assert context.cert_store_stats() == usual.cert_store_stats()
    assert context.check_hostname
    assert context.verify_mode == ssl.CERT_REQUIRED


@pytest.mark.parametrize("tls", [2, 3])
def test_an_authority_that_the_system_comes_to_trust_is_trusted_at_once(
    exchange, fault, tmp_path, monkeypatch, tls
):
    """So that what `check` says of it, which looks at the bundle itself, is true."""
    bundle, renewed = tmp_path / "bundle.pem", tmp_path / "renewed.pem"
    monkeypatch.setenv("SSL_CERT_FILE", str(bundle))
    with (
        Certificates() as others,
        Certificates() as certificates,
        Scripted(certificates=certificates, implicit_tls=tls == 3) as server,
    ):
        bundle.write_bytes(Path(others.ca_file).read_bytes())
        assert "does not verify" in fault(server, tls=tls).reason
        renewed.write_bytes(Path(certificates.ca_file).read_bytes())
        renewed.replace(bundle)
        exchange(server, MAIL, tls=tls)
        assert server.conversations[-1].tls


def test_tls_from_the_first_byte_may_go_without_verification(exchange):
    with (
        Certificates("elsewhere.example") as certificates,
        Scripted(certificates=certificates, implicit_tls=True) as server,
    ):
        exchange(server, MAIL, tls=3, verify=False)
        assert server.conversations[0].tls


@pytest.mark.parametrize("tls", [2, 3])
def test_a_name_with_a_last_dot_is_the_name_of_the_certificate(
    exchange, monkeypatch, tls
):
    found = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", 0))]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *args, **kwargs: found)
    with (
        Certificates("relay.test") as certificates,
        Scripted(certificates=certificates, implicit_tls=tls == 3) as server,
    ):
        ca_file = certificates.ca_file
        exchange(server, MAIL, host="relay.test.", tls=tls, ca_file=ca_file)
        assert server.conversations[0].tls
