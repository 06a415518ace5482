"""A Maildrop Host in the place of what the delivery tests of zope.sendmail test."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterable
from functools import partial
from typing import Any

import transaction
from datamanagers import join
from peers.post import Mail, mails, the_queue, traces

from collective.maildrophost import productconfig
from collective.maildrophost.engine.doorbell import Doorbell
from collective.maildrophost.engine.message import Message, compose
from collective.maildrophost.host import MaildropHost
from collective.maildrophost.transaction import SpoolDataManager

TESTS = "zope.sendmail.tests.test_delivery"


def substitutes(doorbell: Doorbell) -> dict[str, Any]:
    """What stands where in the modules of the peer; nothing of it asks the daemon."""
    log = Log()
    return {
        f"{TESTS}.DirectMailDelivery": partial(Delivery, log),
        f"{TESTS}.MailerStub": partial(ReadBackMailer, log),
        f"{TESTS}.BrokenMailerStub": break_after_the_vote,
        f"{TESTS}.RefusingMailerStub": break_the_queue,
        f"{TESTS}.MaildirWriterStub": ReadBackMaildir(log),
        "zope.sendmail.delivery.QueuedMailDelivery": partial(Delivery, log),
        "zope.sendmail.delivery.MailDataManager": OneMail,
    }


class Log:
    """What was given to a delivery: the queue need not have it."""

    def __init__(self) -> None:
        self.given: dict[str, str] = {}
        self.handed_over: list[tuple[Message, Any]] = []

    def remember(self, message: Message, as_given: Iterable[str]) -> None:
        """Keep a message with its transaction, its addresses as they were given."""
        addresses = (message.sender, *message.recipients)
        self.given.update(zip(addresses, as_given, strict=True))
        self.handed_over.append((message, transaction.get()))

    def aborted(self) -> list[bytes]:
        """What has left no trace in the queue though its transaction has ended."""
        ended = Counter(
            message.content
            for message, txn in self.handed_over
            if txn is not transaction.get()
        )
        left = Counter(mail.content for mail in traces())
        return list((ended - left).elements())


class RecordingHost(MaildropHost):
    """A Maildrop Host that tells which message it has made of what it was given."""

    def _hand_over(self, url: str, message: Message) -> None:
        super()._hand_over(url, message)
        self._v_message = message


class Delivery:
    """In the place of a delivery, which is what MailHost sends with."""

    def __init__(self, log: Log, mailer_or_path: Any) -> None:
        self._log = log

    def send(self, fromaddr: str, toaddrs: tuple[str, ...], message: Any) -> str:
        """Send as MailHost would; the Message-Id without its brackets."""
        host = RecordingHost()
        host._send(_closed(fromaddr), toaddrs, message)
        self._log.remember(host._v_message, [fromaddr, *toaddrs])
        return host._v_message.message_id.strip("<>")


class _NewMail:
    """The mail in the queue that came since somebody forgot all there was."""

    def __init__(self, log: Log) -> None:
        self._log = log
        self._forgotten = 0

    def _mails(self) -> list[Mail]:
        return mails()[self._forgotten :]

    def _forget(self, nothing: list[Any]) -> None:
        assert nothing == []
        self._forgotten = len(mails())


class ReadBackMailer(_NewMail):
    """In the place of a mailer that keeps what it should send."""

    @property
    def sent_messages(self) -> list[tuple[str, tuple[str, ...], bytes]]:
        given = self._log.given
        return [
            (given[mail.sender], tuple(map(given.get, mail.recipients)), mail.content)
            for mail in self._mails()
        ]

    @sent_messages.setter
    def sent_messages(self, nothing: list[Any]) -> None:
        self._forget(nothing)


class ReadBackMaildir(_NewMail):
    """In the place of the files of a Maildir, which begin with the envelope."""

    @property
    def commited_messages(self) -> list[bytes]:
        return [_maildir_file(mail) for mail in self._mails()]

    @commited_messages.setter
    def commited_messages(self, nothing: list[Any]) -> None:
        self._forget(nothing)

    @property
    def aborted_messages(self) -> list[bytes]:
        return self._log.aborted()

    @aborted_messages.setter
    def aborted_messages(self, nothing: list[Any]) -> None:
        assert nothing == []


class OneMail:
    """In the place of the data manager of one mail: what it reports, the queue says."""

    def __init__(
        self, callable: Callable[..., Any], args: Any, onAbort: Callable[[], Any]
    ) -> None:
        self._succeeded = partial(callable, *args)
        self._aborted = onAbort
        self._manager = SpoolDataManager(
            productconfig.configuration(productconfig.DEFAULT).queue
        )
        mail = compose(b"\r\n", "f@example.org", ["t@example.org"], now=time.time())
        self._manager.add(mail, "a test")

    def __getattr__(self, phase: str) -> Any:
        return getattr(self._manager, phase)

    def tpc_finish(self, txn: Any) -> None:
        self._manager.tpc_finish(txn)
        if mails():
            self._succeeded()

    def tpc_abort(self, txn: Any) -> None:
        self._manager.tpc_abort(txn)
        # What is left may still be sent.
        (self._succeeded if traces() else self._aborted)()


def break_the_queue() -> None:
    """In the place of a mailer that refuses in the vote."""
    queue = the_queue()
    queue.path.rename(queue.path.with_suffix(".away"))


def break_after_the_vote() -> None:
    """In the place of a mailer that breaks when the transaction has committed."""
    # Who votes after the mail has.
    join("~maildropz", tpc_vote=break_the_queue)


def _maildir_file(mail: Mail) -> bytes:
    recipients = ", ".join(mail.recipients)
    envelope = f"X-Zope-From: {mail.sender}\nX-Zope-To: {recipients}\n"
    return envelope.encode() + mail.content


def _closed(address: str) -> str:
    """The address with the ">" that the peer has forgotten in its sender."""
    return f"{address}>" if "<" in address and ">" not in address else address
