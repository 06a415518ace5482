"""What a token endpoint is shown, and what is made of its answers."""

from __future__ import annotations

import asyncio
import base64
import json

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from engine.tokens.fetching import REFRESH, SECRET, fault, fetch
from joserfc import jwk, jwt
from servers.tokens import TokenServer, refusal

from collective.maildrophost.engine.config import ConfigurationError
from collective.maildrophost.engine.secrets import Secret
from collective.maildrophost.engine.tokens import (
    TokenFault,
    configured,
    endpoint,
    source_of,
)
from collective.maildrophost.engine.tokens.endpoint import (
    UNKNOWN_LIFETIME_SECONDS,
    Endpoint,
)
from collective.maildrophost.engine.tokens.grants import ClientCredentials

from .conftest import MAILBOX


@pytest.mark.parametrize("ending", ["", "\n", "\r\n"])
def test_client_credentials_as_microsoft_wants_them(configure, ending):
    with TokenServer() as server:
        assert fetch(configure(server.url, SECRET + ending)) == server.given
    assert server.requests == [
        {
            "grant_type": "client_credentials",
            "client_id": "client-1",
            "client_secret": SECRET,
            "scope": "https://relay.test/.default",
        }
    ]


@pytest.mark.parametrize("secret", ["", SECRET])
def test_a_refresh_token_with_or_without_a_client_secret(configure, secret):
    with TokenServer() as server:
        fetch(configure(server.url, secret, REFRESH, MAILDROP_OAUTH_SCOPE=""))
    shown = {"client_secret": secret} if secret else {}
    assert server.requests == [
        {
            "grant_type": "refresh_token",
            "client_id": "client-1",
            "refresh_token": REFRESH,
            **shown,
        }
    ]


@pytest.fixture(scope="module")
def key():
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


def account(key, **changes) -> str:
    """The JSON key of a Google service account."""
    pem = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    fields = {
        "type": "service_account",
        "client_email": "mail@project.test",
        "private_key_id": "key-7",
        "private_key": pem.decode(),
        **changes,
    }
    return json.dumps({name: fields[name] for name in fields if fields[name]}, indent=2)


def public_pem(key) -> bytes:
    return key.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )


def test_a_service_account_signs_for_the_mailbox(configure, key):
    with TokenServer() as server:
        assert fetch(configure(server.url, account(key))) == server.given
    [request] = server.requests
    assert request.pop("grant_type") == "urn:ietf:params:oauth:grant-type:jwt-bearer"
    statement = request.pop("assertion")
    assert request == {}
    public = jwk.RSAKey.import_key(public_pem(key))
    signed = jwt.decode(statement, public, algorithms=["RS256"])
    assert signed.header["kid"] == "key-7"
    claims = signed.claims
    assert claims["iss"] == "mail@project.test"
    assert claims["sub"] == MAILBOX
    assert claims["aud"] == server.url
    assert claims["scope"] == "https://relay.test/.default"
    assert claims["exp"] - claims["iat"] == 3600


def test_a_service_account_does_not_wait_for_ever(configure, key, monkeypatch):
    monkeypatch.setattr(endpoint, "SECONDS", (5, 0.1))
    with TokenServer() as server:
        server.gate.clear()
        raised = fault(configure(server.url, account(key)))
    assert "no answer in time" in raised.reason


@pytest.mark.parametrize("name", ["client_email", "private_key", "private_key_id"])
def test_half_a_service_account_is_refused_at_once(configure, key, name):
    with pytest.raises(ConfigurationError, match=name) as raised:
        source_of(configure("https://tokens.test/", account(key, **{name: ""})))
    assert raised.value.option == "MAILDROP_OAUTH_CLIENT_SECRET_FILE"
    assert "PRIVATE KEY" not in str(raised.value)


@pytest.fixture(params=["torn", "public", "with a passphrase", "of another kind"])
def no_signing_key(request, key) -> str:
    """What nothing can be signed with."""
    if request.param == "torn":
        return "-----BEGIN PRIVATE KEY-----\nMIIcanary\n"
    if request.param == "public":
        return public_pem(key).decode()
    kind = ec.generate_private_key(ec.SECP256R1()) if "kind" in request.param else key
    locked = serialization.BestAvailableEncryption(b"passphrase")
    pem = kind.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        locked if kind is key else serialization.NoEncryption(),
    )
    return pem.decode()


def test_a_useless_key_is_reported_with_its_option_and_not_shown(
    configure, key, no_signing_key
):
    with TokenServer() as server:
        broken = account(key, private_key=no_signing_key)
        raised = fault(configure(server.url, broken))
        assert server.requests == []
    assert raised.permanent
    assert raised.reason.startswith("MAILDROP_OAUTH_CLIENT_SECRET_FILE: ")
    assert "make a new one" in raised.reason
    assert no_signing_key.splitlines()[1][:9] not in raised.reason


@pytest.mark.parametrize(
    ("answer", "permanent", "words"),
    [
        (refusal("invalid_client", status=401), True, "HTTP 401 invalid_client"),
        (refusal("invalid_grant", "has expired"), True, "invalid_grant has expired"),
        (refusal("invalid_grant", "no\x1b[2J"), True, "invalid_grant no?[2J"),
        (refusal("temporarily_unavailable"), False, "temporarily_unavailable"),
        (refusal("server_error"), False, "server_error"),
        (refusal("slow_down"), False, "slow_down"),
        ((503, "<html>down</html>"), False, "HTTP 503"),
        ((503, ["down"]), False, "HTTP 503"),
        ((500, ""), False, "HTTP 500"),
        ((429, ""), False, "HTTP 429"),
        ((408, ""), False, "HTTP 408"),
        ((404, "nothing here"), True, "HTTP 404"),
        ((200, "<html>welcome</html>"), True, "no token"),
        ((200, ["a list"]), True, "no token"),
        ((200, {"token_type": "Bearer"}), True, "no access token"),
        ((200, {"access_token": "a\r\nb", "token_type": "Bearer"}), True, "no access"),
        ((200, {"access_token": "", "token_type": "Bearer"}), True, "no access"),
        ((200, {"access_token": 7, "token_type": "Bearer"}), True, "no access"),
        ((200, {"error": "access_denied"}), True, "access_denied"),
    ],
)
@pytest.mark.parametrize("grant", ["secret", "refresh", "account"])
def test_an_outage_is_told_from_a_refusal(
    configure, key, grant, answer, permanent, words
):
    shown = {
        "secret": {"secret": SECRET},
        "refresh": {"refresh_token": REFRESH},
        "account": {"secret": account(key)},
    }[grant]
    with TokenServer(answer) as server:
        raised = fault(configure(server.url, **shown))
    assert raised.permanent == permanent
    assert words in raised.reason


def test_an_error_without_a_description_is_told_by_its_name(configure):
    with TokenServer((400, {"error": "invalid_client"})) as server:
        raised = fault(configure(server.url, SECRET))
    assert raised.reason == f"127.0.0.1:{server.port}: HTTP 400 invalid_client"


@pytest.mark.parametrize(
    ("said", "seconds"),
    [
        ({"expires_in": "60"}, 60.0),
        ({"expires_in": 0}, UNKNOWN_LIFETIME_SECONDS),
        ({"expires_in": -60}, UNKNOWN_LIFETIME_SECONDS),
        ({"expires_in": ""}, UNKNOWN_LIFETIME_SECONDS),
        ({}, UNKNOWN_LIFETIME_SECONDS),
    ],
)
def test_a_token_that_does_not_say_how_long_it_lasts_is_used_for_a_while(said, seconds):
    answer = 200, {"access_token": "a", "token_type": "Bearer", **said}
    with TokenServer(answer) as server:
        issued = Endpoint(server.url, "").ask(ClientCredentials("me", Secret(SECRET)))
    assert issued.lifetime_seconds == seconds


def test_a_refresh_token_that_is_no_text_replaces_none():
    answer = 200, {"access_token": "a", "token_type": "Bearer", "refresh_token": 7}
    with TokenServer(answer) as server:
        issued = Endpoint(server.url, "").ask(ClientCredentials("me", Secret(SECRET)))
    assert not issued.refresh_token


@pytest.mark.parametrize("given", ["a\nb", "a\0", "a\ud800"])
def test_a_refresh_token_that_is_no_line_of_a_file_is_a_fault(given):
    answer = 200, {"access_token": "a", "token_type": "Bearer", "refresh_token": given}
    with TokenServer(answer) as server, pytest.raises(TokenFault, match="refresh"):
        Endpoint(server.url, "").ask(ClientCredentials("me", Secret(SECRET)))


def test_an_endpoint_that_repeats_what_it_was_told_reveals_nothing(configure, key):
    def repeat(fields):
        told = " ".join(fields.values())
        words = f"{told} {base64.b64encode(told.encode()).decode()}"
        return refusal("invalid_client", words, 401)

    with TokenServer(repeat) as server:
        for shown in ({"secret": SECRET}, {"secret": SECRET, "refresh_token": REFRESH}):
            raised = fault(configure(server.url, **shown))
            assert "****" in raised.reason
            for secret in (SECRET, REFRESH):
                assert secret not in raised.reason
                encoded = base64.b64encode(secret.encode()).decode()
                assert encoded[:12] not in raised.reason
        reason = fault(configure(server.url, account(key))).reason
        assertion = server.requests[-1]["assertion"]
        assert "****" in reason
        pieces = [assertion[n : n + 12] for n in range(len(assertion) - 11)]
        assert not [piece for piece in pieces if piece in reason]


def test_a_new_secret_needs_no_restart(configure, tmp_path):
    with TokenServer() as server:
        source = source_of(configure(server.url, SECRET))
        (tmp_path / "client_secret").write_text("another\n")
        asyncio.run(source.token())
    assert server.requests[0]["client_secret"] == "another"


@pytest.mark.parametrize(
    ("text", "words"), [("one\ntwo\n", "one line"), ("\n", "empty"), (None, "readable")]
)
def test_a_file_that_holds_no_secret_is_refused_at_once(
    configure, tmp_path, text, words
):
    configuration = configure("https://tokens.test/", SECRET)
    file = tmp_path / "client_secret"
    file.unlink() if text is None else file.write_text(text)
    with pytest.raises(ConfigurationError, match=words) as raised:
        source_of(configuration)
    assert raised.value.option == "MAILDROP_OAUTH_CLIENT_SECRET_FILE"
    assert "two" not in str(raised.value)


def test_the_missing_extra_is_named(configure, monkeypatch):
    monkeypatch.setattr(configured, "find_spec", lambda name: None)
    with pytest.raises(
        ConfigurationError, match=r"install collective\.maildrophost\[oauth\]"
    ):
        source_of(configure("https://tokens.test/", SECRET))
