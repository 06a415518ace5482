"""What is wrong with a relay, in the reader's language."""

from __future__ import annotations

import errno
import os
import re
import ssl
from pathlib import Path

import pytest
from zope.i18n import translate

from collective.maildrophost.controlpanel import relaytext
from collective.maildrophost.controlpanel.healthtext import sentence
from collective.maildrophost.controlpanel.relaytext import fault
from collective.maildrophost.engine import smtp
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
}
OF_OTHERS = ["greeting: 554 5.7.1 no", "ehlo: 502 5.5.1 no", "no route", "x: y: z", ""]


@pytest.mark.parametrize("text", FAULTS)
def test_a_fault_is_told_in_german(portal, reader, text):
    assert translate(fault(text), context=reader("de")) == FAULTS[text]


@pytest.mark.parametrize("text", [*FAULTS, *OF_OTHERS])
def test_others_read_the_daemons_own_words(portal, reader, text):
    assert translate(fault(text), context=reader("en")) == text


def test_the_daemon_still_says_it_so():
    sources = Path(smtp.__file__).parent.glob("*.py")
    joined = re.sub(r'"\s+f?"', "", "".join(each.read_text() for each in sources))
    system_words = {os.strerror(number) for number in errno.errorcode}
    for template in set(map(str, relaytext._REASONS)) - system_words:
        for part in re.split(r"\$\{\w+\}", template):
            assert part.strip(" :") in joined, template


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
