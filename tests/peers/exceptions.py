"""Every test of a peer that does not pass with a Maildrop Host, and why."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class LeftOut:
    """A test of the peer's own insides: it is not run."""

    reason: str


@dataclass(frozen=True)
class Different:
    """A test of what we do in another way: it is run, and fails.

    `because` is a piece of what it fails with, so that it fails for the reason given.
    """

    reason: str
    because: str


_THEIR_INTERFACE = (
    "asks for the attributes of zope.sendmail's own class; a Maildrop Host provides "
    "`IMailHost`"
)
_OLD_MAILHOST = (
    "its `setUp` deletes settings that only an object of MailHost's own class stores"
)
_NO_RELAY_IN_ZOPE = (
    "relay, port, TLS and login are in the configuration file, with the password "
    "outside of ZODB; a Maildrop Host ignores them"
)
_NO_SMTP_IN_ZOPE = (
    "no request speaks SMTP: a mailer of a Maildrop Host queues, so it has no relay"
)
_OWN_EXPORT = (
    "maildrophost.xml has the title, the configuration's key and the transactional "
    "mode: neither a relay nor a password is exported"
)
_OWN_IMPORT = (
    "a mailhost.xml leaves a Maildrop Host alone: with the empty relay in Plone's own, "
    "a site would send no mail"
)

EXCEPTIONS: dict[str, dict[str, LeftOut | Different]] = {
    "Products.MailHost": {
        "testMailHost.TestMailHost.test__getThreadKey_uses_fspath": LeftOut(
            "about the threads that deliver; a Maildrop Host has none"
        ),
        "testMailHost.TestMailHost.test_createDefaultMailer": Different(
            _NO_SMTP_IN_ZOPE, "'QueueMailer' object has no attribute 'hostname'"
        ),
        "testMailHost.TestMailHost.test_createSMPTSMailer": Different(
            _NO_RELAY_IN_ZOPE, "unexpected keyword argument 'implicit_tls'"
        ),
        "testMailHost.TestMailHost.test_manage_makeChanges": Different(
            _NO_RELAY_IN_ZOPE, "assertEqual(mailhost.implicit_tls, True)"
        ),
        "testMailHost.TestMailHostQueuing.testNotStartQueueProcessorThread": Different(
            "`MAILHOST_QUEUE_ONLY` keeps the threads of a Zope from delivering; the "
            "daemon is a separate program, woken by every Zope",
            "assertFalse(mh.started_queue_processor_thread)",
        ),
        "test_SendMailTag.SendMailTagTests.test_instantiation": LeftOut(
            "about the DTML tag alone; no mail is sent"
        ),
        "test_SendMailTag.SendMailTagTests.test_instantiation_full": LeftOut(
            "about the DTML tag alone; no mail is sent"
        ),
        "test_exportimport.MailHostXMLAdapterTests.test_body_get": Different(
            _OWN_EXPORT, 'configuration="'
        ),
        "test_exportimport.MailHostXMLAdapterTests.test_body_set": Different(
            _OWN_IMPORT, "assertEqual(obj.smtp_queue, False)"
        ),
        "test_exportimport.MailHostXMLAdapterTestsWithNoneValue.test_body_get": (
            Different(_OWN_EXPORT, 'configuration="')
        ),
        "test_exportimport.MailHostXMLAdapterTestsWithNoneValue.test_body_set": (
            Different(_OWN_IMPORT, "assertEqual(obj.smtp_uid, '')")
        ),
        "test_exportimport.MailHostXMLAdapterTestsWithQueue.test_body_get": LeftOut(
            "it is empty: it passes with anything"
        ),
        "test_exportimport.MailHostXMLAdapterTestsWithQueue.test_body_set": Different(
            _OWN_IMPORT, "assertEqual(obj.smtp_queue_directory, '/tmp/mailqueue')"
        ),
        "test_exportimport.MailHostXMLAdapterTestsWithoutQueue.test_body_get": (
            LeftOut(_OLD_MAILHOST)
        ),
        "test_exportimport.MailHostXMLAdapterTestsWithoutQueue.test_body_set": (
            LeftOut(_OLD_MAILHOST)
        ),
        "test_exportimport.MailHostXMLAdapterTestsWithoutQueue.test_z3interfaces": (
            LeftOut(_OLD_MAILHOST)
        ),
    },
    "zope.sendmail": {
        "test_delivery.TestAbstractMailDelivery.test_bad_message_id": LeftOut(
            "sends nothing at all (`None`), with one of Python's own parsers replaced. "
            "A Maildrop Host queues a message with whatever Message-Id it has"
        ),
        "test_delivery.TestDirectMailDelivery.testInterface": LeftOut(_THEIR_INTERFACE),
        "test_delivery.TestDirectMailDelivery.test_old_mailer_without_vote": LeftOut(
            "about mailers for an old zope.sendmail; a Maildrop Host takes no mailer"
        ),
        "test_delivery.TestMailDataManager.testInterface": LeftOut(_THEIR_INTERFACE),
        "test_delivery.TestQueuedMailDelivery.testInterface": LeftOut(_THEIR_INTERFACE),
    },
}
