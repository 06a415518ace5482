"""The site's Maildrop Host and its queue, or why there is none to work with."""

from __future__ import annotations

from typing import Any

from collective.maildrophost import productconfig
from collective.maildrophost.api.refusals import Conflict, ServiceUnavailable
from collective.maildrophost.engine.config import Configuration
from collective.maildrophost.engine.errors import MaildropError
from collective.maildrophost.engine.queue import Queue
from collective.maildrophost.installation.sitemailhost import maildrop_host_of
from collective.maildrophost.queues import queue_at


def maildrop_host(site: Any) -> Any:
    """The Maildrop Host of `site`; Conflict unless it is the tool and the utility."""
    mail_host = maildrop_host_of(site)
    if mail_host is None:
        raise Conflict(
            "The site's MailHost is not a Maildrop Host: another add-on has replaced "
            "it, and mail does not go through the queue. The control panel of the "
            "Maildrop Host puts it back."
        )
    return mail_host


def configuration_of(site: Any) -> Configuration:
    """That of the site's Maildrop Host; ServiceUnavailable says what is wrong."""
    mail_host = maildrop_host(site)
    try:
        return productconfig.configuration(mail_host.getConfigKey())
    except MaildropError as error:
        raise ServiceUnavailable(str(error)) from error


def queue_of(site: Any) -> Queue:
    """The queue of the site's Maildrop Host; ServiceUnavailable says what is wrong."""
    url = configuration_of(site).queue
    try:
        return queue_at(url)
    except MaildropError as error:
        raise ServiceUnavailable(str(error)) from error
