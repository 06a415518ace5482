"""What is wrong with a relay, in the reader's language."""

from __future__ import annotations

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


def unverified():
    error = ssl.SSLCertVerificationError()
    error.verify_message = "self-signed certificate"
    return describe(error)


FAULTS = {
    f"connect: {system(errno.ECONNREFUSED)}": "Verbindungsaufbau: Verbindung abgelehnt",
    f"connect: {system(errno.EHOSTUNREACH)}": "Verbindungsaufbau: kein Weg zum Host",
    f"connect: the name smtp was not found: {system(errno.ETIMEDOUT)}": (
        "Verbindungsaufbau: der Name smtp wurde nicht gefunden: Zeitüberschreitung der "
        "Verbindung"
    ),
    f"handshake: {unverified()}": (
        "TLS: das Zertifikat des Relays ist nicht gültig: self-signed certificate"
    ),
    "greeting: no answer of the relay within 300 seconds": (
        "Begrüßung: keine Antwort des Relays innerhalb von 300 Sekunden"
    ),
    "auth: login as me refused: 535 5.7.8 Error: no": (
        "Anmeldung: die Anmeldung als me wurde abgelehnt: 535 5.7.8 Error: no"
    ),
    "auth: no common login mechanism: plain or login wanted, none offered": (
        "Anmeldung: kein gemeinsames Anmeldeverfahren: verlangt plain or login, "
        "angeboten keines"
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
def test_others_read_the_daemons_own_words(portal, reader, text):
    assert translate(fault(text), context=reader("en")) == text


def templates():
    """What the control panel knows of the daemon."""
    known = [*vars(relaytext).values(), *vars(verdicttext).values()]
    sentences = [each.sentences for each in known if isinstance(each, KnownWords)]
    return {str(each) for each in chain(*sentences)}


def test_the_daemon_still_says_it_so():
    sources = Path(engine.__file__).parent.glob("*/*.py")
    joined = re.sub(r'"\s+f?"', "", "".join(each.read_text() for each in sources))
    system_words = {os.strerror(number) for number in errno.errorcode}
    for template in templates() - system_words - set(map(str, relaytext.RESOLVER)):
        for part in re.split(r"\$\{\w+\}", template):
            assert part.strip(" :") in joined, template


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="another C library")
def test_the_resolver_still_says_it_so():
    says = ctypes.CDLL(None).gai_strerror
    says.restype = ctypes.c_char_p
    names = ("EAI_NONAME", "EAI_NODATA", "EAI_FAIL", "EAI_AGAIN")
    said = {says(getattr(socket, name)).decode() for name in names}
    assert said == set(map(str, relaytext.RESOLVER))


def test_the_words_of_a_relay_stay(portal, reader):
    german = translate(fault("greeting: 554 5.7.1 no"), context=reader("de"))
    assert german == "Begrüßung: 554 5.7.1 no"


def test_a_relay_that_talks_as_the_daemon_does_no_harm(portal, reader):
    again = "the connection was lost: " * 3
    german = translate(fault(f"connect: {again}x"), context=reader("de"))
    assert german == (
        "Verbindungsaufbau: die Verbindung ging verloren: "
        "the connection was lost: the connection was lost: x"
    )


def test_the_sentence_of_a_german_page_is_german(portal, reader):
    words = "relay a:25: connect: Connection refused"
    at_fault = Health(False, Reason.RELAY, since=1.0, relay="a:25", fault=words)
    assert sentence(at_fault, reader("de"), 1.0).endswith(
        "Relay a:25: Verbindungsaufbau: Verbindung abgelehnt; nichts wartet"
    )
