"""A Maildrop Host in the place of what the tests of Products.MailHost test."""

from __future__ import annotations

import select
from typing import Any

import transaction
import ZODB
from OFS.Application import Application
from peers.post import Mail, mails
from Products.MailHost.exportimport import MailHostXMLAdapter
from zope.interface.registry import Components

from collective.maildrophost.engine.doorbell import Doorbell
from collective.maildrophost.engine.message import Lane
from collective.maildrophost.exportimport import MaildropHostXMLAdapter
from collective.maildrophost.host import MaildropHost

TESTS = "Products.MailHost.tests"


def substitutes(doorbell: Doorbell) -> dict[str, Any]:
    """What stands where in the modules of the peer; `doorbell`: that of a daemon."""

    class WakingHost(ReadBackHost):
        """What is asked of a delivery thread is asked of the daemon."""

        def __init__(self, id: str, smtp_queue_directory: str) -> None:
            super().__init__(id)

        @property
        def started_queue_processor_thread(self) -> bool:
            return _rung(doorbell)

    return {
        f"{TESTS}.testMailHost.DummyMailHost": ReadBackHost,
        f"{TESTS}.testMailHost.MailHost": MaildropHost,
        f"{TESTS}.testMailHost._mungeHeaders": sent_and_read_back,
        f"{TESTS}.testMailHost.QueueingDummyMailHost": WakingHost,
        "zope.sendmail.maildir.Maildir": lambda path: mails(),
        f"{TESTS}.test_SendMailTag.DummyMailHost": ReadBackHost,
        f"{TESTS}.test_SendMailTag.ZopeLite": SmallZope,
        "Products.MailHost.MailHost.MailHost": MaildropHost,
        "Products.MailHost.exportimport.MailHostXMLAdapter": MaildropHostXMLAdapter,
        "Products.GenericSetup.testing.getMultiAdapter": _registry().getMultiAdapter,
    }


class ReadBackHost(MaildropHost):
    """In the place of hosts that keep what they are given: the queue has kept it."""

    @property
    def sent(self) -> bytes | str:
        return _newest().content if _committed() else ""

    @property
    def immediate(self) -> bool:
        return _newest().lane is Lane.INTERACTIVE


def sent_and_read_back(
    message: Any, mto: Any = None, mfrom: Any = None, subject: Any = None
) -> tuple[bytes, list[str], str]:
    """In the place of the function in MailHost that works out message and envelope."""
    MaildropHost().send(message, mto, mfrom, subject)
    _committed()
    mail = _newest()
    return mail.content, [mail.named(each) for each in mail.recipients], mail.sender


class SmallZope:
    """In the place of a Zope that is started as a whole and never stops."""

    @staticmethod
    def app() -> Any:
        connection = ZODB.DB(None).open()
        connection.root.app = Application()
        return connection.root.app


def _committed() -> list[Mail]:
    transaction.commit()
    return mails()


def _newest() -> Mail:
    return mails()[-1]


def _rung(doorbell: Doorbell) -> bool:
    readable, _, _ = select.select([doorbell], [], [], 0)
    return bool(readable)


def _registry() -> Components:
    """Both adapters, as in a site: which one is taken is up to the host."""
    components = Components()
    components.registerAdapter(MailHostXMLAdapter)
    components.registerAdapter(MaildropHostXMLAdapter)
    return components
