"""What zope.sendmail has in its Maildir comes over, written by its own code."""

from __future__ import annotations

import smtplib

import pytest
import transaction
from zope.sendmail.delivery import QueuedMailDelivery
from zope.sendmail.queue import QueueProcessorThread

from collective.maildrophost.engine.queue import State
from collective.maildrophost.engine.takeover import look_through, take

TEXT = "Message-Id: <{name}@x.org>\nSubject: {name}\nTo: b@x.org\n\nJürgen\n"


class Refusing:
    """A mailer whose server refuses some mail for good, and loses its line for some."""

    def __init__(self, refused: str, cut_off: str) -> None:
        self._refused, self._cut_off = refused, cut_off

    def send(self, fromaddr, toaddrs, message):
        if self._refused.encode() in message:
            raise smtplib.SMTPResponseException(550, b"no")
        if self._cut_off.encode() in message:
            raise OSError("connection lost")

    def abort(self, *arguments):
        """Nothing is open."""

    vote = abort


@pytest.fixture
def maildir(tmp_path):
    return tmp_path / "mailqueue"


def send(maildir, name, *recipients) -> None:
    delivery = QueuedMailDelivery(str(maildir))
    text = TEXT.format(name=name).encode()
    delivery.send("Ä Sender <a@x.org>", recipients or ("b@x.org",), text)


def process(maildir, mailer) -> None:
    thread = QueueProcessorThread()
    thread.setMailer(mailer)
    thread.setQueuePath(str(maildir))
    thread.run(forever=False)


def test_waiting_rejected_and_cut_off_mail_comes_over(maildir, queue, mails):
    for name in ("refused", "cut-off", "sent"):
        send(maildir, name)
    transaction.commit()
    process(maildir, Refusing("refused", "cut-off"))
    send(maildir, "waiting", "b@x.org", '"C, D" <c@x.org>')
    transaction.commit()
    send(maildir, "unfinished")
    for mail in look_through(maildir):
        take(queue, mail, True)
    found = {each.subject: each for each in mails()}
    assert {name: each.state for name, each in found.items()} == {
        "refused": State.FAILED,
        "cut-off": State.QUEUED,
        "waiting": State.QUEUED,
    }
    assert found["cut-off"].possible_duplicate
    assert not found["waiting"].possible_duplicate
    waiting = found["waiting"]
    assert waiting.sender == "a@x.org"
    assert [each.address for each in waiting.recipients] == ["b@x.org", "c@x.org"]
    transaction.abort()


def test_the_message_is_what_was_sent(maildir, queue, mails, content_of):
    send(maildir, "whole")
    transaction.commit()
    for mail in look_through(maildir):
        take(queue, mail, True)
    (message,) = mails()
    assert content_of(message) == TEXT.format(name="whole").encode()
