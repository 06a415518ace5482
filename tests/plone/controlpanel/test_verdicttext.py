"""What became of a recipient, in the reader's language."""

from __future__ import annotations

import pytest
from zope.i18n import translate

from collective.maildrophost.controlpanel.verdicttext import said
from collective.maildrophost.engine.delivery.finished import UNWRITABLE
from collective.maildrophost.engine.delivery.worker import BROKEN_OFF, CONTENT_LOST
from collective.maildrophost.engine.smtp.capabilities import Capabilities
from collective.maildrophost.engine.smtp.envelope import UnsendableAddress, path
from collective.maildrophost.engine.smtp.replies import Reply
from collective.maildrophost.engine.verdict import Outcome, Verdict

OURS = {
    CONTENT_LOST: "ihr Inhalt ist in der Warteschlange verloren gegangen",
    BROKEN_OFF: "abgebrochen: vielleicht hat sie inzwischen ein anderer Dienst",
    UNWRITABLE: (
        "die Warteschlange nahm die Worte des Relays nicht an, siehe das Log des "
        "Dienstes"
    ),
    "the relay closed the connection": "das Relay hat die Verbindung geschlossen",
    "5.3.4 the message has 30000 octets, the relay takes 20000": (
        "5.3.4 die Nachricht hat 30000 Bytes, das Relay nimmt 20000"
    ),
    "given up after 5.0 days, at last: the relay closed the connection": (
        "nach 5,0 Tagen aufgegeben, zuletzt: das Relay hat die Verbindung geschlossen"
    ),
    "given up after 30 seconds, at last: 450 4.2.0 later": (
        "nach 30 Sekunden aufgegeben, zuletzt: 450 4.2.0 later"
    ),
}
OF_A_RELAY = ["250 2.0.0 Ok", "450", "550 5.1.1 the queue has lost its content", ""]


@pytest.mark.parametrize("reply", OURS)
def test_what_the_daemon_says_is_told_in_german(portal, reader, reply):
    assert translate(said(reply), context=reader("de")) == OURS[reply]


@pytest.mark.parametrize("reply", [*OURS, *OF_A_RELAY])
def test_other_readers_get_the_daemons_own_words(portal, reader, reply):
    assert translate(said(reply), context=reader("en")) == reply


@pytest.mark.parametrize("reply", OF_A_RELAY)
def test_what_a_relay_says_is_not_translated(portal, reader, reply):
    assert translate(said(reply), context=reader("de")) == reply


def test_no_code_of_a_relay_is_taken_for_ours():
    reply = str(Reply(550, ("5.1.3 <a@b> is no mail address",)))
    assert said(reply) is reply


def test_an_address_stays_as_it_is(portal, reader):
    with pytest.raises(UnsendableAddress) as unsendable:
        path("ü@x.org", Capabilities(extended=True))
    german = translate(said(unsendable.value.verdict.reply), context=reader("de"))
    assert german == "5.6.7 ü@x.org braucht SMTPUTF8, das dem Relay fehlt"


@pytest.fixture
def lost(tried):
    return tried(Verdict(Outcome.FAILED, CONTENT_LOST))


@pytest.mark.parametrize("view", ["message", "queue"])
def test_a_german_page_tells_it_in_german(panel, lost, view):
    panel.reads("de")
    panel.open(view, id=lost, state="failed")
    assert OURS[CONTENT_LOST] in panel.text
    assert CONTENT_LOST not in panel.text
