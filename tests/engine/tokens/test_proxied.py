"""The way to a token endpoint through the proxy that the environment names."""

from __future__ import annotations

from contextlib import contextmanager

import pytest
from engine.tokens.fetching import SECRET, fault, fetch
from servers.certificates import Certificates
from servers.tokens import TokenServer
from servers.tunnel import Tunnel

PROXY_PASSWORD = "hush-hush-hush"


@pytest.fixture
def by_way_of(monkeypatch):
    """Has all that asks for a token go through the proxy at that port."""

    def go(port):
        url = f"http://joe:{PROXY_PASSWORD}@127.0.0.1:{port}"
        monkeypatch.setenv("HTTPS_PROXY", url)
        monkeypatch.setenv("https_proxy", url)

    return go


@contextmanager
def behind_a_proxy(by_way_of):
    """An endpoint that is known to its proxy alone, its certificates, its address."""
    with (
        Certificates("login.test") as certificates,
        TokenServer(certificates=certificates) as tokens,
        Tunnel(tokens.port) as tunnel,
    ):
        by_way_of(tunnel.port)
        yield tokens, certificates, tunnel


def test_ones_own_authority_counts_behind_a_proxy(configure, by_way_of):
    with behind_a_proxy(by_way_of) as (tokens, certificates, tunnel):
        url = f"https://login.test:{tokens.port}/token"
        ca_file = certificates.ca_file
        assert fetch(configure(url, SECRET, MAILDROP_TLS_CA_FILE=ca_file)) == [
            "token-1"
        ]
        assert tunnel.asked[0].startswith(f"CONNECT login.test:{tokens.port} ")


def test_a_certificate_that_does_not_verify_is_told_behind_a_proxy(
    configure, by_way_of
):
    with behind_a_proxy(by_way_of) as (tokens, _, _):
        raised = fault(configure(f"https://login.test:{tokens.port}/token", SECRET))
        assert tokens.requests == []
    assert raised.permanent
    assert "its certificate does not verify: " in raised.reason


def test_a_proxy_that_lets_nobody_through_is_told_from_the_endpoint(
    configure, by_way_of
):
    with Tunnel(status=f"407 no {PROXY_PASSWORD}") as tunnel:
        by_way_of(tunnel.port)
        raised = fault(configure("https://login.test/token", SECRET))
    assert raised.reason == "login.test through a proxy: HTTP 407"


def test_a_proxy_that_is_not_there_is_told_from_the_endpoint(
    configure, by_way_of, unused_port
):
    by_way_of(unused_port)
    raised = fault(configure("https://login.test/token", SECRET))
    assert not raised.permanent
    assert raised.reason == "login.test through a proxy: Connection refused"
