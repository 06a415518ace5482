"""Mail that an add-on diverts from MailHost is diverted from the queue, too."""

from __future__ import annotations

import logging
import pickle
from datetime import datetime, timezone
from email.mime.text import MIMEText
from functools import partialmethod, wraps
from unittest.mock import MagicMock

import pytest
import transaction
from Products.MailHost.MailHost import MailBase

from collective.maildrophost.engine.message import Lane
from collective.maildrophost.patched import patched_by


@pytest.fixture
def printing(monkeypatch):
    """Products.PrintingMailHost at work; the value is its module of patches."""
    from Products import PrintingMailHost

    monkeypatch.setattr(PrintingMailHost, "LOG", logging.getLogger("PrintingMailHost"))
    from Products.PrintingMailHost import Patch

    Patch.apply_patches()
    yield Patch
    Patch.undo_patches()


@pytest.mark.parametrize("immediate", [True, False])
def test_with_printingmailhost_mail_is_only_printed(
    host, send, subjects, printing, caplog, immediate
):
    with caplog.at_level(logging.INFO, "PrintingMailHost"):
        send(host, "printed", immediate=immediate, lane="bulk")
    transaction.commit()
    assert "Subject: printed" in caplog.text
    assert subjects() == []


@pytest.mark.parametrize("immediate", [True, False])
def test_the_fixed_address_of_printingmailhost_gets_the_mail_through_the_queue(
    host, send, mails, printing, monkeypatch, immediate
):
    monkeypatch.setattr(printing, "FIXED_ADDRESS", ["tester@example.org"])
    send(host, immediate=immediate)
    transaction.commit()
    (message,) = mails()
    assert [each.address for each in message.recipients] == ["tester@example.org"]


def test_without_printingmailhost_mail_goes_to_the_queue_again(
    host, send, subjects, printing
):
    printing.undo_patches()
    send(host)
    transaction.commit()
    assert subjects() == [("hello", "queued")]


def as_it_is(function):
    return function


def partly(function):
    """As something that has neither a module nor a name."""
    return partialmethod(function)


@pytest.mark.parametrize("made", [as_it_is, wraps(MailBase._send), partly])
def test_any_other_patch_of_mailhost_gets_the_mail(
    host, send, subjects, monkeypatch, made
):
    taken = []

    def _send(self, mfrom, mto, messageText, immediate=False):
        taken.append((mfrom, mto, immediate))

    monkeypatch.setattr(MailBase, "_send", made(_send))
    send(host, immediate=True)
    transaction.commit()
    assert taken == [("from@example.org", ["to@example.org"], True)]
    assert subjects() == []


@pytest.mark.parametrize("immediate", [True, False])
def test_a_patch_that_calls_the_original_has_the_mail_queued(
    host, send, mails, monkeypatch, immediate
):
    """Never sent in the request, nor left in a Maildir that nobody delivers."""
    original = MailBase._send

    def _send(self, mfrom, mto, messageText, immediate=False):
        original(self, mfrom, mto, messageText, immediate)

    monkeypatch.setattr(MailBase, "_send", _send)
    send(host, immediate=immediate)
    transaction.abort()
    assert mails() == []
    send(host, immediate=immediate)
    transaction.commit()
    (message,) = mails()
    assert message.lane is (Lane.INTERACTIVE if immediate else Lane.NORMAL)


@pytest.mark.parametrize("transactional", [True, False])
def test_a_patch_that_drops_immediate_has_the_mail_queued_as_it_was_meant(
    host, send, mails, monkeypatch, transactional
):
    original = MailBase._send

    def _send(self, mfrom, mto, messageText, immediate=False):
        original(self, mfrom, mto, messageText)

    monkeypatch.setattr(MailBase, "_send", _send)
    host.setTransactional(transactional)
    later = datetime(2040, 1, 1, tzinfo=timezone.utc)
    send(host, deliver_at=later)
    transaction.abort()
    assert mails() == []
    send(host, lane="bulk", deliver_at=later)
    send(host, immediate=True)
    send(host)
    transaction.commit()
    *now, wished = mails()
    assert (wished.lane, wished.due) == (Lane.BULK, later.timestamp())
    assert {each.lane for each in now} == {Lane.INTERACTIVE, Lane.NORMAL}
    assert host.smtp_queue is True


def test_a_patch_need_not_know_what_immediate_is(host, send, subjects, monkeypatch):
    """That of collective.MockMailHost calls its last argument `debug`."""
    taken = []

    def _send(self, mfrom, mto, messageText, debug=False):
        taken.append(mto)

    monkeypatch.setattr(MailBase, "_send", _send)
    send(host)
    transaction.commit()
    assert taken == [["to@example.org"]]
    assert subjects() == []


def test_a_send_replaced_on_the_instance_gets_mailhosts_arguments(host, send, subjects):
    taken = []
    host.__dict__["_send"] = lambda mfrom, mto, messageText, immediate=False: (
        taken.append(mto)
    )
    send(host)
    transaction.commit()
    assert taken == [["to@example.org"]]
    assert subjects() == []


@pytest.fixture
def taken(monkeypatch):
    """The subjects of what an add-on that replaces `send` has been given."""
    taken = []

    def send(
        self,
        messageText,
        mto=None,
        mfrom=None,
        subject=None,
        encode=None,
        immediate=False,
        charset=None,
        msg_type=None,
    ):
        taken.append(subject)

    monkeypatch.setattr(MailBase, "send", send)
    return taken


def test_a_patch_of_send_itself_gets_the_mail(host, subjects, taken):
    mail = {"mto": "to@example.org", "mfrom": "from@example.org"}
    host.send("text", subject="sent", lane="bulk", **mail)
    host.scheduledSend("text", subject="scheduled", **mail)
    host.simple_send("to@example.org", "from@example.org", "simple", "text")
    transaction.commit()
    assert taken == ["sent", "scheduled", None]
    assert subjects() == []


def test_a_patch_of_send_that_calls_the_original_redirects_the_mail(
    host, send, mails, monkeypatch
):
    original = MailBase.send

    def send_to_tester(self, messageText, mto=None, *arguments, **named):
        original(self, messageText, "tester@example.org", *arguments, **named)

    monkeypatch.setattr(MailBase, "send", send_to_tester)
    send(host)
    transaction.commit()
    (message,) = mails()
    assert [each.address for each in message.recipients] == ["tester@example.org"]


def a_copy_of(message):
    return pickle.loads(pickle.dumps(message))


@pytest.mark.parametrize("written", [a_copy_of, MIMEText.as_string])
def test_a_message_passes_a_patch_of_send_with_each_header_still_one(
    host, refused, monkeypatch, written
):
    original = MailBase.send

    def send_it_written(self, messageText, *arguments, **named):
        original(self, written(messageText), *arguments, **named)

    monkeypatch.setattr(MailBase, "send", send_it_written)
    mail = MIMEText("hello")
    mail["X-A"] = "a\n\nb"
    with refused("line break or NUL in the header 'X-A"):
        host.send(mail, "to@example.org", "from@example.org")


def test_a_patch_of_send_need_not_name_what_it_only_passes_on(
    host, send, mails, content_of, monkeypatch
):
    """Callers name all but the first arguments, and it is written for them."""
    original, passed_on = MailBase.send, {}

    def send_to_tester(self, messageText, mto=None, mfrom=None, **named):
        passed_on.update(named)
        original(self, messageText, mto="tester@example.org", mfrom=mfrom, **named)

    monkeypatch.setattr(MailBase, "send", send_to_tester)
    kind = {"charset": "utf-8", "msg_type": "text/html", "encode": "quoted-printable"}
    send(host, subject="a", immediate=True, **kind)
    transaction.commit()
    assert passed_on == {"immediate": True, **kind}
    (message,) = mails()
    assert [each.address for each in message.recipients] == ["tester@example.org"]
    assert message.lane is Lane.INTERACTIVE
    assert b'Content-Type: text/html; charset="utf-8"' in content_of(message)


def test_an_old_patch_of_send_is_not_given_the_arguments_that_came_later(
    host, send, subjects, monkeypatch
):
    """MailHost had no `charset` and no `msg_type` once."""
    taken = []

    def take(self, messageText, mto=None, mfrom=None, subject=None, encode=None):
        taken.append(mto)

    monkeypatch.setattr(MailBase, "send", take)
    send(host)
    transaction.commit()
    assert taken == ["to@example.org"]
    assert subjects() == []


@pytest.mark.parametrize("name", ["send", "_send"])
def test_lane_and_time_of_a_mail_pass_a_patch_that_only_watches(
    host, send, mails, monkeypatch, name
):
    original, watched = getattr(MailBase, name), []

    @wraps(original)
    def watch(self, *arguments, **named):
        watched.append(name)
        return original(self, *arguments, **named)

    monkeypatch.setattr(MailBase, name, watch)
    later = datetime(2040, 1, 1, tzinfo=timezone.utc)
    send(host, lane="bulk", deliver_at=later)
    send(host)
    transaction.commit()
    other, wished = mails()
    assert (wished.lane, wished.due) == (Lane.BULK, later.timestamp())
    assert other.lane is Lane.NORMAL
    assert watched == [name, name]


def test_the_addon_that_gets_the_mail_first_can_be_named(printing):
    assert patched_by() == "Products.PrintingMailHost.Patch"
    printing.undo_patches()
    assert patched_by() == ""


@pytest.mark.parametrize("name", ["send", "_send"])
def test_a_patch_that_is_no_function_can_be_named(monkeypatch, name):
    monkeypatch.setattr(MailBase, name, MagicMock())
    assert patched_by() == "unittest.mock"
