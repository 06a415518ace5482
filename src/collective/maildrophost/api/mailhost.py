"""The site's Maildrop Host and its queue, or why there is none to work with."""

from __future__ import annotations

from typing import Any

from Products.MailHost.interfaces import IMailHost
from zope.component import queryUtility

from collective.maildrophost.api.refusals import Conflict, ServiceUnavailable
from collective.maildrophost.engine.errors import MaildropError
from collective.maildrophost.engine.queue import Queue
from collective.maildrophost.interfaces import IMaildropHost
from collective.maildrophost.productconfig import configuration
from collective.maildrophost.queues import queue_at


def maildrop_host() -> Any:
    """The MailHost of the current site; Conflict when it is none of ours."""
    mail_host = queryUtility(IMailHost)
    if not IMaildropHost.providedBy(mail_host):
        raise Conflict(
            "The site's MailHost is not a Maildrop Host: another add-on has replaced "
            "it, and mail does not go through the queue. The control panel of the "
            "Maildrop Host puts it back."
        )
    return mail_host


def queue_of(mail_host: Any) -> Queue:
    """The queue that `mail_host` writes to; ServiceUnavailable says what is wrong."""
    try:
        return queue_at(configuration(mail_host.getConfigKey()).queue)
    except MaildropError as error:
        raise ServiceUnavailable(str(error)) from error
