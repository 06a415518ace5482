"""A queue with mail, and who may see it."""

from __future__ import annotations

import re
import sqlite3
import time
from contextlib import closing
from urllib.parse import urlencode

import pytest
import transaction
from plone.app.testing import TEST_USER_NAME, TEST_USER_PASSWORD, setRoles
from plone.registry.interfaces import IRegistry
from plone.testing.zope import Browser
from zope.component import getUtility
from zope.component.hooks import setSite
from zope.i18n import translate
from zope.i18n.interfaces import IUserPreferredLanguages
from zope.interface import implementer

from collective.maildrophost.engine.message import compose
from collective.maildrophost.engine.queue import (
    Settlement,
    Unheard,
    claim,
    discard,
    enqueue,
    list_messages,
    new_batch,
    prepare,
    settle,
)
from collective.maildrophost.i18n import message

PANEL = "@@maildrophost-controlpanel"
FULL = """
CREATE TRIGGER full BEFORE INSERT ON maildrop_message
BEGIN SELECT RAISE(ABORT, 'database or disk is full'); END
"""


@pytest.fixture
def queue(functional_test):
    return functional_test["maildrop_queue"]


@pytest.fixture
def configure(functional_test):
    """Adds lines to the site's configuration, until the test ends; its path."""
    path = functional_test["maildrop_configuration"]
    before = path.read_text()

    def add(lines):
        path.write_text(before + lines)
        return path

    yield add
    path.write_text(before)


def mail(subject="hello", recipient="to@example.org", text="Dear reader\n", headers=""):
    content = f"Subject: {subject}\n{headers}\n{text}"
    return compose(content, "from@example.org", [recipient], now=time.time())


@pytest.fixture(name="mail")
def mail_fixture():
    return mail


@pytest.fixture
def put(queue):
    """Puts mail into the queue; returns the ids."""

    def put(*messages):
        with queue.write() as tx:
            return enqueue(tx, messages, time.time())

    return put


@pytest.fixture
def tried(put, queue):
    """Puts a message into the queue whose recipients got these verdicts; its id."""

    def tried(*verdicts):
        now = time.time()
        recipients = [f"number{count}@example.org" for count in range(len(verdicts))]
        (id,) = put(
            compose("Subject: hi\n\nHi\n", "me@example.org", recipients, now=now)
        )
        with queue.write() as tx:
            (one,) = claim(tx, "one", [int(id)], now)
            given = zip(
                (each.position for each in one.recipients), verdicts, strict=True
            )
            settlement = Settlement(
                *(one.id, one.created, one.attempts, "one", now, "relay:25"),
                *(tuple(given), now + 60, False),
            )
            settle(tx, [settlement], now)
        return id

    return tried


@pytest.fixture
def full_disk(queue):
    """The queue can be read, and takes no mail."""
    with closing(sqlite3.connect(queue.path, isolation_level=None)) as wire:
        wire.execute(FULL)
        yield
        wire.execute("DROP TRIGGER full")


@pytest.fixture
def in_doubt(queue):
    """A batch of two mails whose transaction was cut off an hour ago."""
    batch = new_batch()
    with queue.write() as tx:
        prepare(tx, batch, [mail("one"), mail("two")], time.time() - 3600, "/MailHost")
    yield batch
    with queue.write() as tx:
        discard(tx, batch)


@pytest.fixture
def states(queue):
    """The states of all mail that is not sent, by subject."""

    def now():
        with queue.read() as tx:
            return {each.subject: each.state.value for each in list_messages(tx)}

    return now


class Panel:
    """The control panel in the hands of a browser without JavaScript."""

    def __init__(self, browser, site):
        self.browser = browser
        self.base = site.absolute_url()

    def open(self, view="", **query):
        suffix = f"?{urlencode(query)}" if query else ""
        name = f"{PANEL}-{view}" if view else PANEL
        self.browser.open(f"{self.base}/{name}{suffix}")
        return self.browser.contents

    def token(self):
        """The authenticator of the forms on the page."""
        self.open("test")
        return re.search(r'name="_authenticator" value="(\w+)"', self.browser.contents)[
            1
        ]

    def post(self, view, token=None, /, **fields):
        fields = {"_authenticator": token or self.token(), **fields}
        self.browser.open(f"{self.base}/@@{view}", urlencode(fields, doseq=True))
        return self.browser.contents

    def reads(self, language):
        """Has the pages in a language from now on."""
        registry = getUtility(IRegistry)
        registry["plone.available_languages"] = ["en", language]
        registry["plone.use_request_negotiation"] = True
        transaction.commit()
        self.browser.addHeader("Accept-Language", language)

    @property
    def text(self):
        return " ".join(re.sub(r"<[^>]*>", " ", self.browser.contents).split())


@pytest.fixture
def panel(owner, committing_portal):
    return Panel(owner, committing_portal)


@pytest.fixture
def somebody(functional_test, committing_portal):
    """The browser of a member with the roles that are asked for."""

    def with_roles(*roles):
        setSite(committing_portal)
        setRoles(committing_portal, "test_user_1_", list(roles))
        transaction.commit()
        browser = Browser(functional_test["app"])
        browser.addHeader(
            "Authorization", f"Basic {TEST_USER_NAME}:{TEST_USER_PASSWORD}"
        )
        return Panel(browser, committing_portal)

    return with_roles


@pytest.fixture
def unheard():
    """What stands for an operation of the queue whose commit nobody heard of."""

    def never_answered(*_args, **_options):
        raise Unheard("postgresql://db/q", "nobody knows whether it was committed")

    return never_answered


@implementer(IUserPreferredLanguages)
class Reader:
    """Somebody who reads one language."""

    def __init__(self, language):
        self.language = language

    def getPreferredLanguages(self):
        return [self.language]


@pytest.fixture(name="reader")
def reader_fixture():
    return Reader


@pytest.fixture
def said(portal, reader):
    """What a German reads of what the engine says.

    Others read its own words. Nothing is English in German but what is `given`, from a
    file or a database.
    """

    def said(wording, *given):
        assert translate(message(wording), context=reader("en")) == str(wording)
        german = own = translate(message(wording), context=reader("de"))
        for each in given:
            own = own.replace(str(each), "")
        assert _ENGLISH.isdisjoint(re.findall(r"\w+", own)), german
        assert "${" not in german
        return german

    return said


_ENGLISH = {"expected", "got", "the", "it", "is", "are", "no", "not", "and", "to", "of"}
