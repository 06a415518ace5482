"""A refusal of the queue, as MailHost's callers know refusals."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from smtplib import SMTPException

from Products.MailHost.MailHost import MailHostError

from collective.maildrophost.engine.errors import MaildropError
from collective.maildrophost.engine.message import InvalidMessage

logger = logging.getLogger("maildrop.zope")


class MailRefused(MailHostError, SMTPException):
    """An address, or a message, that no relay could take, told when it is sent.

    Pages wait for what SMTP says of an address: plone.app.discussion keeps the comment
    then, the contact form shows the error. That nothing can be queued at all, and a
    call that makes no sense, is no such error: the words are not meant for visitors.
    """


def refused(reason: str) -> MailRefused:
    """What to raise for it. The log has the reason, which some pages keep to
    themselves."""
    logger.warning("a mail was refused: %s", reason)
    return MailRefused(reason)


@contextmanager
def refusals_named() -> Iterator[None]:
    """Let every MaildropError leave as MailHostError, with the same words."""
    try:
        yield
    except InvalidMessage as error:
        raise refused(str(error)) from error
    except MaildropError as error:
        raise MailHostError(str(error)) from error
