"""A Maildrop Host as the mailer that zope.sendmail knows."""

from __future__ import annotations

from typing import Any


class QueueMailer:
    """zope.sendmail's IMailer on a Maildrop Host, so that no request speaks SMTP."""

    def __init__(self, host: Any) -> None:
        self._host = host

    def send(self, fromaddr: Any, toaddrs: Any, message: Any) -> None:
        """Queue the mail in the interactive lane."""
        self._host._queue(fromaddr, toaddrs, message, immediate=True)

    def vote(self, fromaddr: Any, toaddrs: Any, message: Any) -> None:
        """The transaction's own data manager votes."""

    def abort(self) -> None:
        """The transaction's own data manager takes the mail back."""
