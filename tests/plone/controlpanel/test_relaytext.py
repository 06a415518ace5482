"""What is wrong with a relay, in the reader's language."""

from __future__ import annotations

import _ssl
import contextlib
import ctypes
import errno
import os
import platform
import re
import socket
import ssl
from itertools import chain
from pathlib import Path

import pytest
from servers.certificates import Certificates
from zope.i18n import translate

from collective.maildrophost import engine
from collective.maildrophost.controlpanel import relaytext, verdicttext
from collective.maildrophost.controlpanel.healthtext import sentence
from collective.maildrophost.controlpanel.knownwords import KnownWords
from collective.maildrophost.controlpanel.relaytext import fault
from collective.maildrophost.engine.queue import Health, Reason
from collective.maildrophost.engine.smtp.channel import describe


def system(number):
    return describe(OSError(number, os.strerror(number)))


def unverified(words):
    error = ssl.SSLCertVerificationError()
    error.verify_message = words
    return describe(error)


def alert(symbol):
    error = ssl.SSLError(ssl.SSL_ERROR_SSL, "as OpenSSL words it")
    error.reason = symbol
    return describe(error)


FAULTS = {
    f"connect: {system(errno.ECONNREFUSED)}": "Verbindungsaufbau: Verbindung abgelehnt",
    f"connect: {system(errno.EHOSTUNREACH)}": "Verbindungsaufbau: kein Weg zum Host",
    f"connect: the name smtp was not found: {system(errno.ETIMEDOUT)}": (
        "Verbindungsaufbau: der Name smtp wurde nicht gefunden: Zeitüberschreitung der "
        "Verbindung"
    ),
    f"handshake: {unverified('self-signed certificate')}": (
        "TLS: das Zertifikat des Relays ist nicht gültig: selbst signiertes Zertifikat"
    ),
    f"handshake: {alert('TLSV13_ALERT_CERTIFICATE_REQUIRED')}": (
        "TLS: das Relay lässt nur Clients mit eigenem Zertifikat zu, was nicht "
        "unterstützt wird: Verwenden Sie einen anderen Port oder ein anderes Relay"
    ),
    f"ehlo: the connection was lost: {alert('TLSV1_ALERT_INTERNAL_ERROR')}": (
        "ehlo: die Verbindung ging verloren: das Relay hat bei TLS einen eigenen "
        "Fehler festgestellt: Sein Protokoll gibt Auskunft"
    ),
    f"handshake: {unverified('out of memory')}": (
        "TLS: das Zertifikat des Relays ist nicht gültig: out of memory"
    ),
    "greeting: no answer from the relay within 300 seconds": (
        "Begrüßung: keine Antwort des Relays innerhalb von 300 Sekunden"
    ),
    "auth: login as me refused: 535 5.7.8 Error: no": (
        "Anmeldung: die Anmeldung als me wurde abgelehnt: 535 5.7.8 Error: no"
    ),
    "auth: no common login mechanism: plain or login wanted, none offered": (
        "Anmeldung: kein gemeinsames Anmeldeverfahren: verlangt plain or login, "
        "angeboten keines"
    ),
    "auth: no login is offered before STARTTLS: use MAILDROP_TLS=2": (
        "Anmeldung: vor STARTTLS wird keine Anmeldung angeboten: Verwenden Sie "
        "MAILDROP_TLS=2"
    ),
    "starttls: the relay does not offer STARTTLS, which MAILDROP_TLS=2 requires": (
        "starttls: das Relay bietet kein STARTTLS an, das MAILDROP_TLS=2 verlangt"
    ),
    "ehlo: the relay closed the connection": (
        "ehlo: das Relay hat die Verbindung geschlossen"
    ),
    "connect: the name smtp was not found: Name or service not known": (
        "Verbindungsaufbau: der Name smtp wurde nicht gefunden: Name oder Dienst "
        "unbekannt"
    ),
    "token: login.example.org: no answer in time": (
        "Zugriffstoken: login.example.org: keine Antwort innerhalb der Zeit"
    ),
    "token: a.org: its certificate does not verify: Hostname mismatch, certificate is "
    "not valid for 'a.org'.": (
        "Zugriffstoken: a.org: sein Zertifikat ist nicht gültig: Es ist nicht für den "
        "Namen 'a.org' ausgestellt."
    ),
    "token: login.example.org:8443 through a proxy: Connection refused": (
        "Zugriffstoken: login.example.org:8443 über einen Proxy: Verbindung abgelehnt"
    ),
    "token: MAILDROP_OAUTH_REFRESH_TOKEN_FILE: expected a readable file: /t: "
    "Permission denied": (
        "Zugriffstoken: MAILDROP_OAUTH_REFRESH_TOKEN_FILE: erwartet: eine lesbare "
        "Datei; /t: keine Berechtigung"
    ),
    "token: no token within 35 seconds": (
        "Zugriffstoken: kein Zugriffstoken innerhalb von 35 Sekunden"
    ),
}
OF_OTHERS = [
    "token: a.org: HTTP 400 invalid_grant no",
    "greeting: 554 5.7.1 no",
    "ehlo: 502 5.5.1 no",
    "no route",
    "x: y: z",
    "",
]


@pytest.mark.parametrize("text", FAULTS)
def test_a_fault_is_told_in_german(portal, reader, text):
    assert translate(fault(text), context=reader("de")) == FAULTS[text]


@pytest.mark.parametrize("text", [*FAULTS, *OF_OTHERS])
def test_other_readers_get_the_daemons_own_words(portal, reader, text):
    assert translate(fault(text), context=reader("en")) == text


def templates():
    """What the control panel knows of the daemon."""
    known = [*vars(relaytext).values(), *vars(verdicttext).values()]
    sentences = [each.sentences for each in known if isinstance(each, KnownWords)]
    return {str(each) for each in chain(*sentences)}


def test_the_daemon_still_uses_these_words():
    sources = Path(engine.__file__).parent.glob("*/*.py")
    joined = re.sub(r'"\s+f?"', "", "".join(each.read_text() for each in sources))
    system_words = {os.strerror(number) for number in errno.errorcode}
    others = (
        *relaytext.RESOLVER,
        *relaytext.CERTIFICATES,
        *relaytext.OTHER_NAMES,
        *relaytext.OTHER_NAMES_OF_A_TOKEN_SOURCE,
    )
    for template in templates() - system_words - set(map(str, others)):
        for part in re.split(r"\$\{\w+\}", template):
            assert part.strip(" :") in joined, template


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="another C library")
def test_the_resolver_still_uses_these_words():
    says = ctypes.CDLL(None).gai_strerror
    says.restype = ctypes.c_char_p
    names = ("EAI_NONAME", "EAI_NODATA", "EAI_FAIL", "EAI_AGAIN")
    said = {says(getattr(socket, name)).decode() for name in names}
    assert said == set(map(str, relaytext.RESOLVER))


NOT_YET_VALID = {
    "certificate is not yet valid",
    "certificate is not yet valid or the system clock is incorrect",
}
"""By OpenSSL 3.0, and by 3.6.5."""


@pytest.mark.skipif(ssl.OPENSSL_VERSION_INFO < (3,), reason="older words")
def test_openssl_still_uses_these_words():
    try:
        say = ctypes.CDLL(_ssl.__file__).X509_verify_cert_error_string
    except (AttributeError, OSError):
        pytest.skip("OpenSSL is a part of Python here")
    say.restype, say.argtypes = ctypes.c_char_p, [ctypes.c_long]
    said = {say(number).decode() for number in range(100)}
    known = set(map(str, relaytext.CERTIFICATES))
    assert known - NOT_YET_VALID <= said
    assert len(known & NOT_YET_VALID & said) == 1


@pytest.mark.parametrize(
    ("host", "german"),
    [
        ("other.example", "Es ist nicht für den Namen 'other.example' ausgestellt."),
        ("192.0.2.7", "Es ist nicht für die Adresse '192.0.2.7' ausgestellt."),
    ],
)
def test_a_certificate_for_another_host_is_reported_in_german(
    portal, reader, host, german
):
    with Certificates() as certificates, pytest.raises(ssl.SSLError) as raised:
        shake_hands(certificates, host)
    text = f"handshake: {describe(raised.value)}"
    told = translate(fault(text), context=reader("de"))
    assert told == f"TLS: das Zertifikat des Relays ist nicht gültig: {german}"
    assert translate(fault(text), context=reader("en")) == text


def shake_hands(certificates, host):
    """As a client who asks for the host."""
    context = ssl.create_default_context(cafile=certificates.ca_file)
    there, back = ssl.MemoryBIO(), ssl.MemoryBIO()
    client = context.wrap_bio(back, there, server_hostname=host)
    server = certificates.server_context.wrap_bio(there, back, server_side=True)
    for side in (client, server, client):
        with contextlib.suppress(ssl.SSLWantReadError):
            side.do_handshake()


def test_what_a_relay_says_is_not_translated(portal, reader):
    german = translate(fault("greeting: 554 5.7.1 no"), context=reader("de"))
    assert german == "Begrüßung: 554 5.7.1 no"


def test_a_relay_that_imitates_the_daemon_does_no_harm(portal, reader):
    again = "the connection was lost: " * 3
    german = translate(fault(f"connect: {again}x"), context=reader("de"))
    assert german == (
        "Verbindungsaufbau: die Verbindung ging verloren: "
        "the connection was lost: the connection was lost: x"
    )


def test_the_health_on_a_german_page_is_in_german(portal, reader):
    words = "relay a:25: connect: Connection refused"
    at_fault = Health(False, Reason.RELAY, since=1.0, relay="a:25", fault=words)
    assert sentence(at_fault, reader("de"), 1.0).endswith(
        "Relay a:25: Verbindungsaufbau: Verbindung abgelehnt; nichts wartet"
    )
