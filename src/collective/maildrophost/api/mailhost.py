"""The site's Maildrop Host and its queue, or why there is none to work with."""

from __future__ import annotations

from typing import Any

from Acquisition import aq_base
from Products.MailHost.interfaces import IMailHost

from collective.maildrophost.api.refusals import Conflict, ServiceUnavailable
from collective.maildrophost.engine.errors import MaildropError
from collective.maildrophost.engine.queue import Queue
from collective.maildrophost.interfaces import IMaildropHost
from collective.maildrophost.productconfig import configuration
from collective.maildrophost.queues import queue_at
from collective.maildrophost.sitemailhost import TOOL_ID


def maildrop_host(site: Any) -> Any:
    """The MailHost of `site`; Conflict when it is none of ours, or only half of it."""
    mail_host = getattr(site, TOOL_ID, None)
    # Some who send mail ask for the tool, others for the utility.
    registered = site.getSiteManager().queryUtility(IMailHost)
    ours = IMaildropHost.providedBy(mail_host)
    if not ours or aq_base(registered) is not aq_base(mail_host):
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
