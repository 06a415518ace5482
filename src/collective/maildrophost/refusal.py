"""A refusal of the queue, as MailHost's callers know refusals."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from Products.MailHost.MailHost import MailHostError

from collective.maildrophost.engine.errors import MaildropError


@contextmanager
def refusals_named() -> Iterator[None]:
    """Let every MaildropError leave as MailHostError, with the same words."""
    try:
        yield
    except MaildropError as error:
        raise MailHostError(str(error)) from error
