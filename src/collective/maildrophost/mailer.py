"""A Maildrop Host as the mailer that zope.sendmail knows."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from typing import Any

from collective.maildrophost.refusal import as_mailhost_error
from collective.maildrophost.submission import wishes
from collective.maildrophost.transaction import (
    committing,
    send_with_transaction,
    take_part,
)

Vote = Callable[[Any, Any, Any], None]


class QueueMailer:
    """zope.sendmail's IMailer on a Maildrop Host, so that no request speaks SMTP."""

    def __init__(self, host: Any) -> None:
        self._host = host

    @property
    def vote(self) -> Vote:
        """What zope.sendmail calls when the transaction of a mail votes.

        It reads this property when the mail is sent. The queue's own data manager can
        still join at that moment: its batch gets into the storages' logs, and it votes
        after zope.sendmail's, with the mail.
        """
        with as_mailhost_error():
            configuration = self._host._configuration()
        take_part(configuration.queue)
        wished = wishes.kept_now()

        def vote(fromaddr: Any, toaddrs: Any, message: Any) -> None:
            txn = committing()
            if txn is None:
                return  # No transaction is committing: `send` queues the mail.
            with as_mailhost_error(), wishes.kept(**asdict(wished)):
                composed = self._host._composed(
                    configuration, fromaddr, toaddrs, message, immediate=True
                )
            send_with_transaction(configuration.queue, composed, self._host._origin())
            self._voted_for(txn).append((fromaddr, toaddrs, message))

        return vote

    def send(self, fromaddr: Any, toaddrs: Any, message: Any) -> None:
        """Queue the mail in the interactive lane, unless `vote` has taken it before."""
        mail = fromaddr, toaddrs, message
        txn = committing()
        if txn is not None and mail in self._voted_for(txn):
            self._voted_for(txn).remove(mail)
        else:
            self._host._queue(*mail, immediate=True)

    def _voted_for(self, txn: Any) -> list[tuple[Any, Any, Any]]:
        """What `vote` has taken for `txn`: other transactions may use this mailer."""
        try:
            voted: list[tuple[Any, Any, Any]] = txn.data(self)
        except KeyError:
            voted = []
            txn.set_data(self, voted)
        return voted

    def abort(self) -> None:
        """Do nothing: the queue's own data manager takes the mail back."""
