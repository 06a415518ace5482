"""What a relay's alert is taken for, whatever words this OpenSSL has for it."""

from __future__ import annotations

import ssl

import pytest

from collective.maildrophost.engine.config import RelayAddress
from collective.maildrophost.engine.smtp.tls import client_context
from collective.maildrophost.engine.smtp.tlswords import meaning

FATAL = bytes.fromhex("15 0303 0002 02")
"""Begins the record of an alert, whose number follows (RFC 8446 section 6)."""
GOODBYE = bytes.fromhex("15 0303 0002 01 00")
WANTS_A_CERTIFICATE = "takes only clients with a certificate of their own"
NO_COMMON_WAY = "finds no way of TLS that it shares"


class Handshake:
    """A client that has begun it, and what the relay says."""

    def __init__(self):
        context = client_context(RelayAddress("relay.test", 465), False, "")
        self.relay = ssl.MemoryBIO()
        self._client = context.wrap_bio(self.relay, ssl.MemoryBIO())
        with pytest.raises(ssl.SSLWantReadError):
            self._client.do_handshake()

    def fails(self) -> str:
        with pytest.raises(ssl.SSLError) as raised:
            self._client.do_handshake()
        return meaning(raised.value)


@pytest.mark.parametrize(
    ("alert", "words"),
    [
        (40, NO_COMMON_WAY),
        (71, NO_COMMON_WAY),
        (70, "does not agree to TLS 1.2 or later"),
        (42, WANTS_A_CERTIFICATE),
        (46, WANTS_A_CERTIFICATE),
        (48, WANTS_A_CERTIFICATE),
        (49, WANTS_A_CERTIFICATE),
        (116, WANTS_A_CERTIFICATE),
        (112, "has no certificate for the name in SMTP_HOST"),
        (80, "met an error of its own"),
    ],
)
def test_an_alert_is_told_in_plain_words(alert, words):
    handshake = Handshake()
    handshake.relay.write(FATAL + bytes([alert]))
    assert words in handshake.fails()


def test_the_end_of_the_connection_is_told_as_such():
    handshake = Handshake()
    handshake.relay.write_eof()
    assert handshake.fails() == "the relay closed the connection"


def test_a_goodbye_amid_the_handshake_is_told_as_the_end():
    handshake = Handshake()
    handshake.relay.write(GOODBYE)
    assert handshake.fails() == "the relay closed the connection"


def test_what_only_openssl_can_tell_is_left_to_it():
    handshake = Handshake()
    handshake.relay.write(FATAL + bytes([50]))
    assert handshake.fails() == ""
