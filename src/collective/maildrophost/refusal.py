"""Refusals of mail as the MailHostError that MailHost's callers know."""

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
    """An address or a message that no relay could take, refused as it is sent.

    It is an SMTPException because pages catch that for a bad address: then
    plone.app.discussion keeps the comment, and the contact form shows the error. A
    queue that takes nothing, and a call that makes no sense, are MailHostErrors only:
    their words are not meant for visitors.
    """


def refused(reason: str) -> MailRefused:
    """The exception to raise; the reason is logged, as some pages do not show it."""
    logger.warning("a mail was refused: %s", reason)
    return MailRefused(reason)


@contextmanager
def as_mailhost_error() -> Iterator[None]:
    """Have every MaildropError leave the block as MailHostError, in the same words."""
    try:
        yield
    except InvalidMessage as error:
        raise refused(str(error)) from error
    except MaildropError as error:
        raise MailHostError(str(error)) from error
