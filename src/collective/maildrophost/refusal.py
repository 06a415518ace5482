"""A refusal of the queue, as MailHost's callers know refusals."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from smtplib import SMTPException

from Products.MailHost.MailHost import MailHostError

from collective.maildrophost.engine.errors import MaildropError
from collective.maildrophost.engine.message import InvalidMessage


class MailRefused(MailHostError, SMTPException):
    """A mail that no relay could take, told when it is sent.

    Pages wait for what SMTP says of an address: plone.app.discussion keeps the comment
    then, the contact form tells its visitor. That nothing can be queued at all is no
    such error, for its words are not meant for visitors.
    """


@contextmanager
def refusals_named() -> Iterator[None]:
    """Let every MaildropError leave as MailHostError, with the same words."""
    try:
        yield
    except InvalidMessage as error:
        raise MailRefused(str(error)) from error
    except MaildropError as error:
        raise MailHostError(str(error)) from error
