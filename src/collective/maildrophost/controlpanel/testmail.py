"""Write the test mail, hand it to the site's MailHost."""

from __future__ import annotations

from email.message import EmailMessage
from email.policy import SMTPUTF8
from email.utils import formataddr, localtime, make_msgid
from typing import Any

import transaction
from plone import api
from Products.MailHost.MailHost import MailHostError

from collective.maildrophost.engine.queue import Unheard
from collective.maildrophost.i18n import _, translated
from collective.maildrophost.readable import on_one_line

_QUEUED = "collective.maildrophost.test_mail"
"""The key, in a request's environment, of the Message-Id of the mail it has queued."""


class PerhapsQueued(MailHostError):
    """Nobody knows whether the test mail was queued."""


class NoSiteAddress(MailHostError):
    """The site has no address to send from."""


def site_address() -> str:
    """The address that the site sends from; "" when it has none."""
    return _setting("plone.email_from_address")


def send_test_mail(site: Any, request: Any, recipient: str) -> str:
    """Queue a test mail, in a transaction of its own; returns its Message-Id.

    It is queued once, whatever conflicts the rest of the request meets.
    Raises MailHostError, with the reason: then nothing was queued, unless it is
    PerhapsQueued. What was done before is committed in any case.
    """
    # A queue that cannot be written says so in the commit. The commit of the whole
    # request comes too late for its page to tell.
    transaction.commit()
    if queued := request.environ.get(_QUEUED):
        return str(queued)
    if not site_address():
        raise NoSiteAddress("empty address")
    message = test_mail(site, request, recipient)
    try:
        _mail_host().send(message, recipient, site_address(), immediate=True)
        transaction.commit()
    except MailHostError as error:
        transaction.abort()
        if isinstance(error.__cause__, Unheard) and not _mail_host().isTransactional():
            raise PerhapsQueued(str(error)) from error
        raise
    # Of a request that the publisher tries once more, only this environment is left.
    request._orig_env[_QUEUED] = message_id = str(message["Message-ID"])
    return message_id


def _mail_host() -> Any:
    return api.portal.get_tool("MailHost")


def test_mail(site: Any, request: Any, recipient: str) -> EmailMessage:
    """The test mail, in the reader's language."""
    mapping = {"site": site.title or "Plone", "url": site.absolute_url()}
    subject = _("test_subject", default="Test mail from ${site}", mapping=mapping)
    text = _(
        "test_text",
        default="This is the test mail that somebody sent from the control panel of "
        "the Maildrop Host at ${url}. If you can read it, mail from this site "
        "arrives.",
        mapping=mapping,
    )
    name = _setting("plone.email_from_name")
    message = EmailMessage(policy=SMTPUTF8.clone(cte_type="7bit"))
    message["Subject"] = on_one_line(translated(subject, request))
    message["From"] = formataddr((on_one_line(name), site_address()))
    message["To"] = recipient
    message["Date"] = localtime()
    domain = site_address().rpartition("@")[2] or None
    message["Message-ID"] = make_msgid("maildrop-test", domain)
    message["Auto-Submitted"] = "auto-generated"
    message.set_content(translated(text, request) + "\n", charset="utf-8")
    return message


def _setting(name: str) -> str:
    # A site whose administrator left it empty has None.
    return api.portal.get_registry_record(name, default="") or ""
